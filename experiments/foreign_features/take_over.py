"""Take the stored truths over as records of the code of now, if that measures some the same.

The truth of a population hangs on neither theory nor calibration, and takes seconds to measure, all
of them ten minutes. ``python -m experiments.foreign_features.take_over [COUNT]`` measures so many
populations anew, spread over all of them. Where every digit that is stored comes out again,
the other populations' rows become records. Where one differs, all of its kind are left to be
measured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments.foreign_features.__main__ import STUDY
from experiments.foreign_features.truth import cells, truth
from experiments.side_tables import arguments
from experiments.study import Records
from fusiontheory.store import RecordStore
from fusiontheory.synthetic import FOREIGN

__all__ = ["main"]

_KEY = ["population", "head", "ridge", "n"]


def main(count: int = 6) -> dict[str, bool]:
    """Return for each population that was measured anew whether it came out the same."""
    stored = STUDY.tables()["measured.csv"].astype({"ridge": str})
    # Populations without a row there are left to be measured.
    names = list(stored["population"].unique())
    chosen = [names[k] for k in np.linspace(0, len(names) - 1, count).astype(int)]
    records = Records(STUDY.records, STUDY.name)
    anew = truth(replace(STUDY.config, populations=tuple(chosen)), records).reset_index(drop=True)
    same = dict.fromkeys(chosen, True)
    before = stored.set_index(_KEY).loc[anew.set_index(_KEY).index].reset_index()
    for name in ("delta", "measured", "se"):
        moved = anew[name].map("{:.6g}".format) != before[name].map("{:.6g}".format)
        same |= dict.fromkeys(anew["population"][moved], False)
    left = {FOREIGN[name].kind for name in chosen if not same[name]}
    store = RecordStore(records.root)
    for cell in store.missing(cells(STUDY.config, STUDY.name)):
        own = stored[stored["population"] == cell.config["population"]]
        if own.empty or FOREIGN[cell.config["population"]].kind in left:
            continue
        rows = own.rename(columns={"ridge": "kind", "seeds": "sets"}).drop(columns="population")
        store.write(cell, rows)
    return same


if __name__ == "__main__":
    for population, as_stored in main(*arguments(__doc__, {"count": int}, count=6)).items():
        print(population, "the same" if as_stored else "not the same: its kind is left")
