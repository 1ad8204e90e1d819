"""From raw images and captions, or from plain arrays, to a report: one command each.

`arrays.arrays_file` makes a features file of arrays, `images.features_of_images` of images and
captions, and `study.study_features` takes features by condition through kernel heads, trained heads
and the reports; `one_file.session_of_file` is the study of kernel heads on one file. A module
is loaded when it is asked for: command lines start without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
