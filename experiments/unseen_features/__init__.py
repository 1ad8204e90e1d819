"""Do warnings and intervals hold on populations that no calibration was made with?"""

import pandas as pd

from experiments.unseen_features.summary import judged

__all__ = ["stored_cells"]


def stored_cells() -> pd.DataFrame:
    """Return the cells that are judged, from the stored tables."""
    # Not above: the study is run as this module, and must not be imported before.
    from experiments.unseen_features.__main__ import STUDY

    return judged(STUDY.tables())
