"""Trained fusion networks at three settings: accuracy, gaps with intervals, claims judged.

``python -m validation trained`` fills the record store, ``trained-report`` writes the tables.

>>> from validation.trained import TrainedStudy
>>> str(TrainedStudy().cells("grid")[1])
'aligned, cross-attention, n = 2048'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
