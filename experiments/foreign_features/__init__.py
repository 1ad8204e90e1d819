"""Are predictions right on features that the theory was not made for, and do they say if not?"""

from experiments.foreign_features.figure import mark_cells
from experiments.foreign_features.predict import groups_of, sample_of

__all__ = ["groups_of", "mark_cells", "sample_of"]
