"""The heads that are trained, and runs of another study beside the formula."""

from __future__ import annotations

import functools
from functools import partial
from typing import TYPE_CHECKING

from experiments.logit_growth.config import Config
from experiments.logit_growth.on_file import runs_on_file
from experiments.logit_growth.train import FOUND, PLACE, source_conditions, trained_logits
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per head that is trained, and one per run on file.

    The records of the first have no theory in their code.
    """
    code = code_version(trained_logits)
    cells = [
        Cell(
            records.name,
            {"of": source, "at": condition, "pairs": n, "stop": epochs, "draw": seed},
            source,
            code,
        )
        for source in config.sources
        for condition in config.others.strengths
        for n in config.sizes
        for epochs in config.epochs
        for seed in config.seeds
    ]
    sources = functools.cache(partial(source_conditions, config, records.root))
    found = records.computed(cells, partial(trained_logits, config=config, sources=sources))
    return {
        "results.csv": found[[*PLACE, *FOUND]].sort_values(PLACE),
        "published.csv": runs_on_file(config, sources),
    }
