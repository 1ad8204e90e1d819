"""Backbones: networks that turn images and texts into vectors, each with a card that says which.

>>> from validation.backbones import load_backbone
>>> load_backbone("clip-vit-b32")
Traceback (most recent call last):
fusiontheory.checks.InputError: backbone must be a known name, got 'clip-vit-b32'; nearest: \
clip-vit-b-32, clip-vit-b-32-laion2b; or any clip:MODEL:TAG or sentences:MODEL
"""

from validation.backbones.backbone import DTYPES, Card, ImageBackbone, TextBackbone, scaled
from validation.backbones.checkpoint import read_state
from validation.backbones.clip import Clip, load_clip
from validation.backbones.colours import (
    GROUND,
    UnusableImageError,
    is_transparent,
    may_be_transparent,
)
from validation.backbones.folded import unfolded
from validation.backbones.libraries import library
from validation.backbones.names import BACKBONES, load_backbone
from validation.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from validation.backbones.resnet import ResNet18, load_resnet18
from validation.backbones.sentences import SentenceEncoder, load_sentences

__all__ = [
    "BACKBONES",
    "DTYPES",
    "GROUND",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "Card",
    "Clip",
    "ImageBackbone",
    "Preprocessing",
    "ResNet18",
    "SentenceEncoder",
    "TextBackbone",
    "UnusableImageError",
    "is_transparent",
    "library",
    "load_backbone",
    "load_clip",
    "load_resnet18",
    "load_sentences",
    "may_be_transparent",
    "read_state",
    "scaled",
    "unfolded",
]
