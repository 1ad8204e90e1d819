"""Alternative explanations of a gap between heads, each as levels of one setting."""

from __future__ import annotations

from typing import Any

from fusiontheory.networks import NETWORKS
from validation.trained.design.variant import Variant, levels

__all__ = ["ABLATIONS", "FIXED_PARAMETERS"]

FIXED_PARAMETERS = 295_554
"""Of the concatenation MLP of arXiv:2606.01207, to which other heads are matched."""

_PAIRED = ("concat-mlp", "bilinear", "two-way-attention")
_MLPS = ("concat-mlp", "two-way-attention")


def _training(**fields: Any) -> dict[str, Any]:
    return {"training": tuple(fields.items())}


def _hidden(*widths: int) -> dict[str, Any]:
    return {"network": (("hidden", widths),)}


# The level 1, none, or unit of each is the published setting itself, in the grid.
ABLATIONS: tuple[tuple[tuple[str, ...], tuple[Variant, ...]], ...] = tuple(
    (heads, tuple(levels(setting, named)))
    for setting, heads, named in (
        (
            "init-scale",
            _PAIRED,
            [(str(scale), {"init_scale": scale}) for scale in (0.1, 0.3, 3.0)],
        ),
        (
            "seed",
            _PAIRED,
            [
                ("weights alone", {"data_seed": 0, "order_seed": 0}),
                ("order alone", {"data_seed": 0, "weight_seed": 0}),
                ("pairs alone", {"order_seed": 0, "weight_seed": 0}),
            ],
        ),
        (
            "optimiser",
            _PAIRED,
            [
                ("sgd 0.1", _training(optimiser="sgd", momentum=0.9, learning_rate=0.1)),
                ("sgd 1", _training(optimiser="sgd", momentum=0.9, learning_rate=1.0)),
                ("adam 1e-4", _training(learning_rate=1e-4)),
            ],
        ),
        (
            "updates",
            _PAIRED,
            [
                ("8 times", _training(epochs=240, patience=40)),
                ("an eighth", _training(updates=30)),
            ],
        ),
        (
            "parameters",
            (
                "two-way-attention",
                "cross-attention",
                "low-rank",
                "gated",
                "hadamard",
                "token-attention",
            ),
            [(f"about {FIXED_PARAMETERS}", {"parameters": FIXED_PARAMETERS})],
        ),
        (
            "depth and width",
            ("concat-mlp",),
            [
                ("1024-64-32-2", _hidden(64, 32)),
                ("1024-256-2", _hidden(256)),
                ("1024-1024-2", _hidden(1024)),
                ("1024-512-256-128-2", _hidden(512, 256, 128)),
            ],
        ),
        ("precision", tuple(NETWORKS), [("float32", _training(dtype="float32"))]),
        ("dropout", _MLPS, [(str(p), _training(dropout=p)) for p in (0.2, 0.5)]),
        (
            "weight decay",
            _PAIRED,
            [(f"{decay:g}", _training(weight_decay=decay)) for decay in (1e-4, 1e-3)],
        ),
        (
            "features",
            _PAIRED,
            [(name, {"scaling": name}) for name in ("standardised", "times-sqrt-d")],
        ),
        (
            "repeated images",
            _PAIRED,
            [("none", {"pairs": "distinct"}), ("10 times", {"pairs": "few-images"})],
        ),
        (
            "residual",
            ("cross-attention",),
            [("image's query added", {"network": (("residual", True),)})],
        ),
        (
            "caption sets",
            ("concat-mlp", "bilinear"),
            [("mean of five", {"texts": "mean"})],
        ),
        (
            "caption sets",
            ("token-attention",),
            [("five tokens", {"texts": "set", "network": (("chunks", 1),)})],
        ),
    )
)
"""Heads and levels of each ablation, at one n in each condition."""
