"""What the law of now predicts of the same heads, after the measurement: ``mended.csv``.

``python -m experiments.token_attention.mended``. The sealed prediction stays what it was.
"""

from __future__ import annotations

from pathlib import Path

from experiments.side_tables import arguments, write_side_table
from experiments.study import Records
from experiments.token_attention.config import Config
from experiments.token_attention.predict import predict

__all__ = ["main"]

_COLUMNS = ["population", "seed", "head", "n", "ridge", "accuracy", "images", "dimensions"]


def main(out: Path = Path(__file__).parent) -> None:
    """Write the table in a folder."""
    [table] = predict(Config(), Records(out, "token_attention_mended")).values()
    write_side_table(out / "mended.csv", table[_COLUMNS], main)


if __name__ == "__main__":
    arguments(__doc__)
    main()
