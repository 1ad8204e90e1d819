"""Measure calibration worlds: pilots, and heads at each size, one record a world.

``python -m experiments.choice.collect COUNT FOLDER``. Records that exist are kept, so that a run
can go on.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.choice.config import Config
from experiments.choice.pilots import Record, pilot_record
from experiments.choice.truth import truths
from experiments.choice.worlds import World, calibration_worlds
from fusiontheory.checks import InputError

__all__ = ["CALIBRATION", "read_records"]

CALIBRATION = Config(
    pilots=((60, 1), (100, 2), (200, 1), (300, 1)),
    training_sets=((50, 5), (100, 5), (200, 3), (400, 2), (800, 2)),
)


def read_records(folder: Path) -> Iterator[Record]:
    """Yield the records of calibration worlds in order."""
    for path in sorted(folder.glob("cal*.pkl")):
        yield {"name": path.stem, **pickle.loads(path.read_bytes())}


def measured(world: World, config: Config) -> Record:
    """Return the record of one world."""
    draw = world.sampler()
    pilots = []
    for n, count in (*config.pilots, (config.large, 1)):
        for k in range(count):
            try:
                pilots.append(pilot_record(*draw(n, 100 + k + 1000 * n)))
            except InputError as error:
                print("pilot left out:", error, flush=True)
    truth = truths(draw(config.pool, 1), draw(config.test, 0), config.training_sets)
    return {"world": world, "truth": truth, "pilots": pilots}


def main() -> None:
    """Measure the worlds that have no record yet."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for k, world in enumerate(calibration_worlds(count)):
        path = folder / f"cal{k:04d}.pkl"
        if not path.exists():
            path.write_bytes(pickle.dumps(measured(world, CALIBRATION)))
            print(k, flush=True)


if __name__ == "__main__":
    main()
