"""Fusion heads for labelled pairs, each as a kernel of two centred and scaled views.

With a = v.v' and b = t.t' of views that `Views` has centred and scaled to a mean squared length
of 1, every head but the last is one kernel matrix. A head is added by one entry in
``PILOT_HEADS``; a kernel that was made elsewhere needs none (`PilotCurve.from_kernel`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, equal_dimensions, finite_array
from fusiontheory.constraints import checked
from fusiontheory.heads.kernels import linear_kernel, product_kernel, relu_tangent_kernel
from fusiontheory.typing import Array

__all__ = ["PILOT_HEADS", "PilotHead", "Views", "find_pilot_head", "head_names"]

_Gram = Callable[[Array, Array, Array, Array], Array]


@checked
@dataclass(frozen=True, eq=False)
class Views:
    """How two modalities are centred and scaled: (v - mean) / sqrt(mean squared length).

    Attributes:
        image_mean, text_mean: (d_v,) and (d_t,).
        image_scale, text_scale: root of the mean squared length of the centred rows.

    Example:
        >>> views = Views.from_features([[0.0], [2.0]], [[1.0], [3.0]])
        >>> views.apply([[4.0]], [[2.0]])
        (array([[3.]]), array([[0.]]))
    """

    image_mean: Array
    text_mean: Array
    image_scale: float
    text_scale: float

    @classmethod
    def from_features(cls, image: ArrayLike, text: ArrayLike) -> Views:
        """Measure mean and scale of rows (n, d_v) and (n, d_t).

        Raises:
            InputError: if they are not two arrays of as many finite rows, or one is constant.
        """
        v, t = paired_views(image, text)
        scales = []
        for name, view in (("image", v), ("text", t)):
            # Squares of the largest double, or of the smallest, are none.
            largest = float(np.abs(view).max(initial=0)) or 1.0
            unit = view / largest
            scale = float(np.sqrt(((unit - unit.mean(0)) ** 2).sum(1).mean())) * largest
            if scale <= 1e-12 * largest:
                raise InputError(
                    f"{name} is constant: all of its {len(view)} rows are the same,"
                    " so that nothing can be learned from it; leave it out"
                )
            scales.append(scale)
        return cls(v.mean(0), t.mean(0), scales[0], scales[1])

    def apply(self, image: ArrayLike, text: ArrayLike) -> tuple[Array, Array]:
        """Return the rows centred and scaled.

        Raises:
            InputError: if their dimensions are not those that were measured.
        """
        v, t = paired_views(image, text)
        for name, view, mean in (("image", v, self.image_mean), ("text", t, self.text_mean)):
            if view.shape[1] != mean.size:
                raise InputError(f"{name} must have {mean.size} columns, got {view.shape[1]}")
        return (v - self.image_mean) / self.image_scale, (t - self.text_mean) / self.text_scale


def paired_views(image: ArrayLike, text: ArrayLike) -> tuple[Array, Array]:
    """Return two arrays of as many rows, checked; a vector is one column.

    Raises:
        InputError: if one is not finite, or the numbers of rows differ.
    """
    v, t = finite_array("image", image, (1, 2)), finite_array("text", text, (1, 2))
    v, t = (x[:, None] if x.ndim == 1 else x for x in (v, t))
    if len(v) != len(t):
        raise InputError(f"image and text must have as many rows, got {len(v)} and {len(t)}")
    return v, t


@checked
@dataclass(frozen=True)
class PilotHead:
    """One fusion of two modalities, trained by ridge regression with a free intercept.

    Attributes:
        name: as on the command line and in tables.
        summary: one line for people.
        gram: (v, t, v', t') of prepared views -> kernel matrix (n, n'); None for a head that is
            the average of others.
        parameters: (d_v, d_t) -> weights of an output with explicit features, intercept included;
            None where only the kernel is affordable.
        members: names of the heads whose predictions are averaged, if any.
        equal_dimensions: whether d_v = d_t is needed.
    """

    name: str
    summary: str
    gram: _Gram | None
    parameters: Callable[[int, int], int] | None = None
    members: tuple[str, ...] = ()
    equal_dimensions: bool = False

    def kernel(self, v: Array, t: Array, v2: Array, t2: Array) -> Array:
        """Return the kernel matrix (n, n') of prepared views.

        Raises:
            InputError: if the head needs equal dimensions, or is an average of others.
        """
        if self.gram is None:
            raise InputError(f"{self.name} has no kernel: it averages {' and '.join(self.members)}")
        if self.equal_dimensions:
            equal_dimensions(self.name, v.shape[1], t.shape[1])
        return self.gram(v, t, v2, t2)


@checked
def find_pilot_head(name: str | PilotHead) -> PilotHead:
    """Return the head of that name (a head is returned as it is).

    Raises:
        InputError: if there is none; the message lists those that there are.

    Example:
        >>> find_pilot_head("bilinear").summary
        'linear in v (x) t, the product alone'
    """
    if isinstance(name, PilotHead):
        return name
    if isinstance(name, str) and name in PILOT_HEADS:
        return PILOT_HEADS[name]
    close = get_close_matches(str(name), PILOT_HEADS, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InputError(f"head must be one of {', '.join(PILOT_HEADS)}, got {name!r}{hint}")


@checked
def head_names(d_v: int, d_t: int) -> tuple[str, ...]:
    """Return the heads that views of these dimensions allow.

    Example:
        >>> "hadamard" in head_names(3, 4)
        False
    """
    return tuple(
        head.name for head in PILOT_HEADS.values() if d_v == d_t or not head.equal_dimensions
    )


def _image(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = v @ v2.T
    return kernel


def _text(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = t @ t2.T
    return kernel


def _linear(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    return linear_kernel(v @ v2.T, t @ t2.T)


def _product(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    return product_kernel(v @ v2.T, t @ t2.T)


def _interaction(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    a, b = v @ v2.T, t @ t2.T
    kernel: Array = a + b + product_kernel(a, b)
    return kernel


def _additive_quadratic(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    a, b = v @ v2.T, t @ t2.T
    kernel: Array = a + b + (a**2 + b**2) / 2
    return kernel


def _tangent(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    """|x| |x'| T(cos) for x = [v; t] / sqrt(2); a zero input has a zero kernel."""
    inner = linear_kernel(v @ v2.T, t @ t2.T)
    norms = np.sqrt(((v**2).sum(1) + (t**2).sum(1)) / 2)
    norms2 = np.sqrt(((v2**2).sum(1) + (t2**2).sum(1)) / 2)
    scale = np.outer(norms, norms2)
    cosine = np.divide(inner, scale, out=np.zeros_like(inner), where=scale > 0)
    kernel: Array = relu_tangent_kernel(cosine) * scale
    return kernel


def _squared_distance(x: Array, x2: Array) -> Array:
    distance: Array = (x**2).sum(1)[:, None] + (x2**2).sum(1) - 2 * x @ x2.T
    return np.maximum(distance, 0.0)


def _rbf_image(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = np.exp(-_squared_distance(v, v2) / 2)
    return kernel


def _rbf_text(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = np.exp(-_squared_distance(t, t2) / 2)
    return kernel


def _rbf_both(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = np.exp(-(_squared_distance(v, v2) + _squared_distance(t, t2)) / 4)
    return kernel


def _dot(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = np.outer((v * t).sum(1), (v2 * t2).sum(1))
    return kernel


def _hadamard(v: Array, t: Array, v2: Array, t2: Array) -> Array:
    kernel: Array = (v * t) @ (v2 * t2).T
    return kernel


PILOT_HEADS = {
    head.name: head
    for head in (
        PilotHead("image-only", "linear in v", _image, lambda d_v, d_t: d_v + 1),
        PilotHead("text-only", "linear in t", _text, lambda d_v, d_t: d_t + 1),
        PilotHead("concat-linear", "linear in [v; t]", _linear, lambda d_v, d_t: d_v + d_t + 1),
        PilotHead(
            "bilinear",
            "linear in v (x) t, the product alone",
            _product,
            lambda d_v, d_t: d_v * d_t + 1,
        ),
        PilotHead(
            "interaction",
            "linear in v, t and v (x) t: additive and product",
            _interaction,
            lambda d_v, d_t: d_v + d_t + d_v * d_t + 1,
        ),
        PilotHead(
            "additive-quadratic",
            "linear and quadratic in v and in t, no term of both",
            _additive_quadratic,
            lambda d_v, d_t: d_v * (d_v + 3) // 2 + d_t * (d_t + 3) // 2 + 1,
        ),
        PilotHead(
            "concat-mlp", "wide three-layer ReLU network on [v; t]: its tangent kernel", _tangent
        ),
        PilotHead("rbf-image", "Gaussian kernel of v", _rbf_image),
        PilotHead("rbf-text", "Gaussian kernel of t", _rbf_text),
        PilotHead("rbf-both", "Gaussian kernel of [v; t]", _rbf_both),
        PilotHead("dot-product", "scale and threshold on v.t", _dot, lambda d_v, d_t: 2, (), True),
        PilotHead(
            "hadamard", "linear in the elementwise product", _hadamard, lambda d, _: d + 1, (), True
        ),
        PilotHead(
            "late-fusion",
            "average of the predictions of image-only and text-only",
            None,
            lambda d_v, d_t: d_v + d_t + 2,
            ("image-only", "text-only"),
        ),
    )
}
