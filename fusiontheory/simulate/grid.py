"""The grid of a simulation: configurations x heads x n x seeds x ridges, from Python or TOML.

study = "phase"                     # lowercase name, for people
heads = ["additive", "bilinear"]    # sum, low-rank, dot-product, concat-mlp
n = [64, 256, 1024]
seeds = 5                           # 0 .. 4, or a list of them
ridge = [0.01]                      # delta of K + delta I; or "best", chosen for each head and n
intercept = true                    # not penalised
rank = 4                            # of the low-rank head
test_rows = 4096                    # drawn only where the test error has no closed form
predict = "sharp"                   # or "gaussian" (cheaper), "none"

[pairs]                             # settings of fusiontheory.synthetic, by part
d_v = 32
d_t = 32
[target]
kind = "mix"
[degradation]
sigma_t = 0.1

[vary]                              # every combination of these lists
"pairs.correlation" = [0.1, 0.5, 0.9]
"target.interaction" = [0.0, 0.5, 1.0]
"pairs.d_v, pairs.d_t" = [16, 32]   # settings that change together
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fusiontheory.checks import (
    InputError,
    equal_dimensions,
    non_negative,
    positive_integer,
    set_checked,
)
from fusiontheory.constraints import checked, short
from fusiontheory.heads import OTHER_HEAD_NAMES
from fusiontheory.simulate.fits import HEAD_NAMES
from fusiontheory.store import check_study, read_bytes
from fusiontheory.synthetic import SharedLatentPairs, SyntheticConfig

__all__ = ["BEST", "SimulationGrid", "read_grid"]

BEST = "best"
"""As ridges: for each configuration, head and n the best one (`fusiontheory.simulate.best`)."""

# What a typing mistake exceeds and a machine does not: seeds, combinations, rows of the table, and
# numbers in the features of one sample (32 GiB).
_MOST_SEEDS, _MOST_CONFIGS, _MOST_RUNS, _MOST_NUMBERS = 10**6, 10**5, 10**8, 2**32
_PREDICT = ("sharp", "gaussian", "none")
_PARTS = ("pairs", "target", "degradation")


@checked(annotations=False)
@dataclass(frozen=True)
class SimulationGrid:
    """What is simulated: every configuration with every head, n, seed and ridge.

    Attributes:
        configs: distinct configurations.
        heads: of ``fusiontheory.simulate.HEAD_NAMES``; concat-linear is another name of additive.
        n: training samples, each at least 2.
        seeds: of the draws; the same seed draws the same numbers for every configuration.
        ridges: delta >= 0 of K + delta I, absolute; or "best": for each configuration, head and n
            the one that does best on draws of their own, then held for all seeds. The low-rank
            head has none, and rows with 0.
        intercept: whether heads have a constant that is not penalised (low-rank has none).
        rank: of the low-rank head.
        test_rows: for what has no closed form: accuracies, signs of a mix, the tangent kernel.
        predict: "sharp", "gaussian" (`ridge_risk` on the spectrum) or "none".
        study: lowercase name.

    Raises:
        InputError: for an empty list, repeats, values out of range, a head that does not fit.

    Example:
        >>> grid = SimulationGrid.of(
        ...     {"pairs.d_v": 4, "pairs.d_t": 4},
        ...     {"pairs.correlation": [0.0, 0.5], "target.interaction": [0.2, 0.4, 0.6]},
        ...     heads=["additive"], n=[16, 64], seeds=3, ridges=[0.1])
        >>> len(grid.configs), grid.runs
        (6, 36)
    """

    configs: tuple[SyntheticConfig, ...]
    heads: tuple[str, ...]
    n: tuple[int, ...]
    seeds: tuple[int, ...]
    ridges: tuple[float, ...] | str
    intercept: bool = True
    rank: int | None = None
    test_rows: int = 4096
    predict: str = "sharp"
    study: str = "simulation"

    def __post_init__(self) -> None:
        """Check every field, before any work."""
        check_study(self.study)
        if isinstance(self.seeds, int) and self.seeds > _MOST_SEEDS:
            raise InputError(f"seeds must be at most {_MOST_SEEDS}, got {self.seeds}")
        seeds = range(positive_integer("seeds", self.seeds)) if isinstance(self.seeds, int) else ()
        set_checked(self, "seeds", tuple(seeds or _listed("seeds", self.seeds)))
        listed = ("configs", "heads", "n", *(() if self.ridges == BEST else ("ridges",)))
        for name in listed:
            set_checked(self, name, tuple(_listed(name, getattr(self, name))))
        # Records have been kept under the name that the other commands print as concat-linear.
        kept = {shown: name for name, shown in OTHER_HEAD_NAMES.items()}
        set_checked(self, "heads", tuple(kept.get(head, head) for head in self.heads))
        for head in self.heads:
            if head not in HEAD_NAMES:
                raise InputError(f"heads must be of {', '.join(HEAD_NAMES)}, got {head!r}")
        set_checked(self, "n", tuple(positive_integer("n", n, 2) for n in self.n))
        set_checked(self, "seeds", tuple(positive_integer("seeds", seed, 0) for seed in self.seeds))
        if self.ridges != BEST:
            set_checked(self, "ridges", tuple(non_negative("ridge", r) for r in self.ridges))
        positive_integer("test_rows", self.test_rows, 2)
        if self.predict not in _PREDICT:
            raise InputError(f"predict must be one of {', '.join(_PREDICT)}, got {self.predict!r}")
        if not isinstance(self.intercept, bool):
            raise InputError(f"intercept must be true or false, got {self.intercept!r}")
        for name in (*listed, "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise InputError(f"{name} must be distinct, got repeats")
        for config in self.configs:
            self._check_heads(config)
        if self.runs > _MOST_RUNS:
            raise InputError(f"a grid must have at most {_MOST_RUNS} runs, got {self.runs}")

    def _check_heads(self, config: SyntheticConfig) -> None:
        if not isinstance(config, SyntheticConfig):
            raise InputError(f"configs must be SyntheticConfig, got {type(config).__name__}")
        if isinstance(config.pairs, SharedLatentPairs):
            d_v, d_t = config.pairs.d_v, config.pairs.d_t
        else:
            d_v, d_t = config.model.cross.shape
        if max(self.n) * (d_v + d_t) > _MOST_NUMBERS:
            raise InputError(
                f"n must be at most {_MOST_NUMBERS // (d_v + d_t)} for {d_v} and {d_t} dimensions,"
                f" got {max(self.n)}"
            )
        if "dot-product" in self.heads:
            equal_dimensions("dot-product", d_v, d_t)
        if "low-rank" in self.heads:
            rank, most = positive_integer("rank", self.rank), min(d_v, d_t)
            if rank > most:
                raise InputError(f"rank must be at most min(d_v, d_t) = {most}, got {rank}")

    @property
    def ridges_each(self) -> int:
        """Number of ridges at which a head is fitted to the same n rows."""
        return 1 if self.ridges == BEST else len(self.ridges)

    @property
    def runs(self) -> int:
        """Number of rows of the table."""
        per_head = [1 if head == "low-rank" else self.ridges_each for head in self.heads]
        return len(self.configs) * sum(per_head) * len(self.n) * len(self.seeds)

    @classmethod
    @checked
    def of(
        cls,
        base: Mapping[str, Any],
        vary: Mapping[str, Sequence[Any]],
        **settings: Any,
    ) -> SimulationGrid:
        """Return the grid over every combination of ``vary`` on top of ``base``.

        Args:
            base: dotted settings such as "pairs.d_v".
            vary: lists by dotted setting; several settings, separated by commas, change together.
            settings: the other fields; ``seeds`` may be a number.
        """
        names = [[part.strip() for part in name.split(",")] for name in vary]
        for name, values in vary.items():
            _listed(f"vary {name!r}", values)
        count = math.prod(map(len, vary.values()))
        if count > _MOST_CONFIGS:
            raise InputError(f"vary must have at most {_MOST_CONFIGS} combinations, got {count}")
        configs = []
        for choice in itertools.product(*vary.values()):
            changed = dict(base)
            for together, value in zip(names, choice, strict=True):
                changed.update(dict.fromkeys(together, value))
            configs.append(SyntheticConfig.from_settings(changed))
        return cls(configs=tuple(configs), **settings)

    def describe(self) -> dict[str, Any]:
        """Return all settings as JSON, each configuration as its dotted settings."""
        described = {field.name: getattr(self, field.name) for field in fields(self)}
        described["configs"] = [config.settings() for config in self.configs]
        return described


@checked
def read_grid(path: str | os.PathLike[str]) -> SimulationGrid:
    """Read a grid from a TOML file, in the form of the module's docstring.

    Raises:
        InputError: if it cannot be read, is no TOML, or has settings that do not exist or fit.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grid.toml"
        >>> _ = file.write_text('heads = ["additive"]\\nn = [8]\\nseeds = 1\\nridge = [0.1]\\n'
        ...     '[pairs]\\nd_v = 2\\nd_t = 2\\n')
        >>> read_grid(file).runs
        1
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    path = Path(path)
    try:
        content = tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"path must be a TOML file, got {path}: {error}") from error
    base = {}
    for part in _PARTS:
        held = content.pop(part, {})
        if not isinstance(held, dict):
            raise InputError(f"{part} must be a table, got {held!r}")
        base.update({f"{part}.{name}": value for name, value in held.items()})
    vary = content.pop("vary", {})
    if not isinstance(vary, dict):
        raise InputError(f"vary must be a table, got {vary!r}")
    content["ridges"] = content.pop("ridge", content.pop("ridges", None))
    known = {field.name for field in fields(SimulationGrid)} - {"configs"}
    unknown = sorted(set(content) - known)
    if unknown:
        named = sorted({*(known - {"ridges"}), "ridge", "vary", *_PARTS})
        raise InputError(f"{short(unknown[0])} is not known; it must be one of {', '.join(named)}")
    for name in ("heads", "n", "seeds", "ridges"):
        if content.get(name) is None:
            raise InputError(f"{name.replace('ridges', 'ridge')} must be given in {path}")
    return SimulationGrid.of(base, vary, **content)


def _listed(name: str, values: Any) -> list[Any]:
    if name == "ridges" and isinstance(values, str):
        raise InputError(f"ridge must be a list of numbers or {BEST!r}, got {values!r}")
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise InputError(f"{name} must be a list, got {values!r}")
    if not values:
        raise InputError(f"{name} must not be empty: there would be nothing to run")
    return list(values)
