from .arrays import arrays_file, read_ids
from .images import chosen_backbones, features_of_images
from .one_file import session_of_file
from .slurm import Resources, launch_study, run_command
from .sources import Source, check_joined, read_sources
from .splits import read_split, split_by_image
from .study import Plan, Verdict, prove_sources, study_features

__all__ = [
    "Plan",
    "Resources",
    "Source",
    "Verdict",
    "arrays_file",
    "check_joined",
    "chosen_backbones",
    "features_of_images",
    "launch_study",
    "prove_sources",
    "read_ids",
    "read_sources",
    "read_split",
    "run_command",
    "session_of_file",
    "split_by_image",
    "study_features",
]
