"""The runs of a store: each leaves its settings, so that a report can take them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.store import sha256, write_atomically
from validation.data import shipped_features
from validation.kernel.study import Study

__all__ = ["Run", "asked_run", "note_run", "noted_runs"]

_STANDARD = Study()


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run was asked for.

    Attributes:
        features: the features file; None: the shipped features.
        sizes: numbers of training pairs.
        seeds: number of seeds.
        ridge: delta of K + delta I, or "best".
        test_pairs: number of test pairs.
        precision: of measurements on a device; None: NumPy.
        also: heads of `fusiontheory.heads.HEADS_BY_CHOICE` besides all of `fusiontheory.HEADS`.
        fingerprint: of the features in the file when they were run; empty if that is not known.

    Raises:
        InputError: as `Study` does, for numbers that cannot be used.

    >>> print(Run(features=Path("mine.safetensors"), sizes=(16, 64), seeds=2))
    features mine.safetensors, sizes 16,64, seeds 2, ridge best, test pairs 10000
    """

    features: Path | None = None
    sizes: tuple[int, ...] = _STANDARD.sizes
    seeds: int = _STANDARD.seeds
    ridge: float | str = _STANDARD.ridge
    test_pairs: int = _STANDARD.test_pairs
    precision: str | None = None
    also: tuple[str, ...] = ()
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """Check the numbers."""
        self.study()

    def study(self) -> Study:
        """Return the study of these numbers."""
        return Study(
            sizes=self.sizes,
            seeds=self.seeds,
            ridge=self.ridge,
            test_pairs=self.test_pairs,
            precision=self.precision,
            heads=tuple(dict.fromkeys([*_STANDARD.heads, *self.also])),
        )

    def load(self) -> FeatureSet:
        """Read the features.

        Raises:
            InputError: if the file cannot be used, or holds others than were run.
        """
        features = shipped_features() if self.features is None else FeatureSet.load(self.features)
        if self.fingerprint not in ("", features.fingerprint):
            where = "the shipped ones" if self.features is None else str(self.features)
            raise InputError(
                f"features must be those of the run, got others since then in {where};"
                " python -m validation run makes their records"
            )
        return features

    def __str__(self) -> str:
        """Name the settings for people; of the file its name alone, not where it lies."""
        features = "shipped features" if self.features is None else f"features {self.features.name}"
        sizes = ",".join(map(str, self.sizes))
        ridge = self.ridge if isinstance(self.ridge, str) else f"{self.ridge:g}"
        on = "" if self.precision is None else f", {self.precision} on a device"
        also = f", also {','.join(self.also)}" if self.also else ""
        return (
            f"{features}, sizes {sizes}, seeds {self.seeds}, ridge {ridge},"
            f" test pairs {self.test_pairs}{on}{also}"
        )


def note_run(folder: Path, run: Run) -> Path:
    """Write the settings to the store; a run that is made again becomes the last one.

    Raises:
        InputError: if the folder cannot be written to.
    """
    settings = {**asdict(run), "features": _place(run.features)}
    if run.precision is None:
        del settings["precision"]
    if not run.also:
        del settings["also"]
    text = json.dumps({**settings, "started": datetime.now(timezone.utc).isoformat()}, indent=1)
    # A file for each run: two at the same time do not write over each other.
    return write_atomically(folder / "runs" / f"{sha256(settings)[:20]}.json", text.encode())


def noted_runs(folder: Path) -> list[Run]:
    """Return the runs of a store, the last one last.

    Raises:
        InputError: naming a file that does not hold the settings of a run.
    """
    noted = sorted((_read(path) for path in (folder / "runs").glob("*.json")), key=lambda r: r[0])
    return [run for _, run in noted]


def asked_run(folder: Path, given: Mapping[str, Any]) -> Run:
    """Return the last run with the settings that are given.

    If none has them all, it is the last of all runs, with those that are given in place of its
    own; in a store without runs, the standard settings are changed likewise.

    Args:
        folder: of the store.
        given: fields of `Run`.

    Raises:
        InputError: as `noted_runs` does.
    """
    runs = noted_runs(folder)
    asked = dict(given)
    if asked.get("features") is not None:
        asked["features"] = Path(asked["features"]).resolve()
    for run in reversed(runs):
        if all(getattr(run, name) == value for name, value in asked.items()):
            return run
    last = runs[-1] if runs else Run()
    if "features" in asked:
        # Other features than were run, or the same at another place.
        asked["fingerprint"] = ""
    return replace(last, **asked)


def _place(features: Path | None) -> str | None:
    return None if features is None else str(features.resolve())


def _read(path: Path) -> tuple[str, Run]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        started = str(about.pop("started"))
        features = about.pop("features")
        about["sizes"] = tuple(map(int, about["sizes"]))
        about["also"] = tuple(map(str, about.get("also", ())))
        return started, Run(features=None if features is None else Path(features), **about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"store must hold intact settings of its runs, got {path} ({type(error).__name__});"
            " delete it and run again, which makes no record twice"
        ) from error
