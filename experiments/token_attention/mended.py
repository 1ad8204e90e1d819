"""What the law of now predicts of the same heads, after the measurement: ``mended.csv``.

``python -m experiments.token_attention.mended``. The sealed prediction stays what it was.
"""

from __future__ import annotations

from pathlib import Path

from experiments.study import Records
from experiments.token_attention.config import Config
from experiments.token_attention.predict import predict
from fusiontheory.store import write_atomically

__all__ = ["main"]

_COLUMNS = ["population", "seed", "head", "n", "ridge", "accuracy", "images", "dimensions"]


def main(out: Path = Path(__file__).parent) -> None:
    """Write the table in a folder."""
    [table] = predict(Config(), Records(out, "token_attention_mended")).values()
    text = table[_COLUMNS].to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(out / "mended.csv", text.encode())


if __name__ == "__main__":
    main()
