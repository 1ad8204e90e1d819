"""From raw images and captions, or from plain arrays, to a report: one command each.

`arrays.arrays_file` makes a features file of arrays, `images.features_of_images` of images and
captions, and `study.study_features` takes features by condition through kernel heads, trained heads
and the reports. Nothing is imported here: the command line starts without torch.
"""

from validation.pipeline.arrays import arrays_file
from validation.pipeline.images import chosen_backbones, features_of_images
from validation.pipeline.slurm import Resources, launch_study, run_command
from validation.pipeline.sources import Source, check_joined, read_sources
from validation.pipeline.splits import read_split, split_by_image
from validation.pipeline.study import Verdict, prove_sources, study_features

__all__ = [
    "Resources",
    "Source",
    "Verdict",
    "arrays_file",
    "check_joined",
    "chosen_backbones",
    "features_of_images",
    "launch_study",
    "prove_sources",
    "read_sources",
    "read_split",
    "run_command",
    "split_by_image",
    "study_features",
]
