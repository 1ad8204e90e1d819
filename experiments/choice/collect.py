"""Measure calibration worlds: pilots, and heads at each size, one record a world.

``python -m experiments.choice.collect COUNT FOLDER``. Records that this code made are kept, so that
a run can go on; those of other code are measured anew.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

from experiments.choice.config import Config
from experiments.choice.pilots import Record, pilot_record
from experiments.choice.truth import truths
from experiments.choice.worlds import World, calibration_worlds
from experiments.side_tables import arguments
from fusiontheory.checks import InputError
from fusiontheory.store import code_version, write_atomically

__all__ = ["CALIBRATION", "collect", "measured", "read_records"]

CALIBRATION = Config(
    pilots=((60, 1), (100, 2), (200, 1), (300, 1)),
    training_sets=((50, 5), (100, 5), (200, 3), (400, 2), (800, 2)),
)


def read_records(folder: Path) -> Iterator[Record]:
    """Yield the records of calibration worlds in order.

    Raises:
        InputError: if there is none, or one was made by other code.
    """
    code, paths = code_version(measured), sorted(folder.glob("cal*.pkl"))
    if not paths:
        raise InputError(f"folder must hold records of calibration worlds, got none in {folder}")
    for path in paths:
        record = pickle.loads(path.read_bytes())
        if record.get("code") != code:
            raise InputError(f"{path} was made by other code; run experiments.choice.collect again")
        yield {"name": path.stem, **record}


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


def collect(count: int, folder: Path, config: Config = CALIBRATION) -> None:
    """Measure the worlds that have no record of this code yet."""
    folder.mkdir(parents=True, exist_ok=True)
    code = code_version(measured)
    for k, world in enumerate(calibration_worlds(count)):
        path = folder / f"cal{k:04d}.pkl"
        if path.exists() and pickle.loads(path.read_bytes()).get("code") == code:
            continue
        write_atomically(path, pickle.dumps({"code": code, **measured(world, config)}))
        print(k, flush=True)


if __name__ == "__main__":
    collect(*arguments(__doc__, {"count": int, "folder": Path}))
