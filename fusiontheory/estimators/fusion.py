"""Fusion heads as scikit-learn estimators for labelled pairs; needs scikit-learn 1.6 or newer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.estimators.ridge import RidgeFit, fit_ridge
from fusiontheory.heads import PilotHead, Views, find_pilot_head
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["FusionRidgeClassifier", "FusionRidgeRegressor", "learning_curve"]


def _members(name: str) -> list[PilotHead]:
    """Return the heads that are averaged, or the head itself."""
    head = find_pilot_head(name)
    return [find_pilot_head(member) for member in head.members] or [head]


class _FusionRidge(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor have in common."""

    def __init__(
        self, head: str = "interaction", *, split: int | None = None, ridge: float | None = None
    ) -> None:
        self.head = head
        self.split = split
        self.ridge = ridge

    def _views(self, X: Array) -> tuple[Array, Array]:
        return X[:, : self.split_], X[:, self.split_ :]

    def _fit(self, X: Array, targets: Array) -> None:
        """Fit the head, or each of those that it averages."""
        find_pilot_head(self.head)
        if X.shape[1] < 2:
            raise InputError("X must have columns of two modalities, got n_features = 1")
        if len(X) < 2:
            raise InputError("X must have at least 2 rows, got n_samples = 1")
        split = X.shape[1] // 2 if self.split is None else positive_integer("split", self.split)
        if split >= X.shape[1]:
            raise InputError(f"split must leave columns for the text, got {split} of {X.shape[1]}")
        ridge = None if self.ridge is None else non_negative("ridge", self.ridge)
        self.split_ = split
        self.views_ = Views.from_features(*self._views(X))
        self.image_, self.text_ = self.views_.apply(*self._views(X))
        self.fits_: list[RidgeFit] = [
            fit_ridge(h.kernel(self.image_, self.text_, self.image_, self.text_), targets, ridge)
            for h in _members(self.head)
        ]
        self.ridge_ = self.fits_[0].ridge if len(self.fits_) == 1 else None

    def _scores(self, X: ArrayLike) -> Array:
        """Return (n, c) scores of new rows."""
        check_is_fitted(self, "fits_")
        checked = validate_data(self, X, dtype=np.float64, reset=False)
        v, t = self.views_.apply(*self._views(checked))
        parts = [
            fit.scores(h.kernel(v, t, self.image_, self.text_))
            for h, fit in zip(_members(self.head), self.fits_, strict=True)
        ]
        mean: Array = np.mean(parts, axis=0)
        return mean


class FusionRidgeClassifier(ClassifierMixin, _FusionRidge):  # type: ignore[misc]
    """A fusion head fitted to classes by kernel ridge on targets of +-1.

    X is (n, d_v + d_t), image and text side by side. Each modality is centred and scaled to a mean
    squared length of 1 before the kernel, as in `fusiontheory.pilot`.

    Args:
        head: one of ``fusiontheory.pilot.PILOT_HEADS``.
        split: columns of X that are the image; half of them, rounded down, if None.
        ridge: in the units of the kernel; the one that leave-one-out likes best if None.

    Attributes:
        classes_: labels in order.
        ridge_: the ridge used; None where heads with their own are averaged.
        n_features_in_: columns of X.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((300, 6))
        >>> y = (X[:, :3] * X[:, 3:]).sum(axis=1) > 0
        >>> model = FusionRidgeClassifier("bilinear").fit(X[:200], y[:200])
        >>> bool(model.score(X[200:], y[200:]) > 0.8)
        True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> FusionRidgeClassifier:
        """Fit to rows and class labels.

        Raises:
            InputError: for an unknown head, a constant modality or one class.
        """
        checked, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y must have at least 2 classes, got 1 class ({self.classes_[0]!r})")
        if len(self.classes_) == 2:
            targets = np.where(codes == 1, 1.0, -1.0)[:, None]
        else:
            targets = np.where(codes[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        self._fit(checked, targets)
        return self

    def decision_function(self, X: ArrayLike) -> Array:
        """Return scores: (n,) for two classes, positive for the second; (n, classes) for more."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: ArrayLike) -> AnyArray:
        """Return the class of each row."""
        scores = self._scores(X)
        codes = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(1)
        labels: AnyArray = self.classes_[codes]
        return labels


class FusionRidgeRegressor(RegressorMixin, _FusionRidge):  # type: ignore[misc]
    """A fusion head fitted to numbers by kernel ridge; see `FusionRidgeClassifier`.

    Args:
        head: one of ``fusiontheory.pilot.PILOT_HEADS``.
        split: columns of X that are the image; half of them, rounded down, if None.
        ridge: in the units of the kernel; the one that leave-one-out likes best if None.

    Attributes:
        ridge_: the ridge used; None where heads with their own are averaged.
        n_features_in_: columns of X.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((100, 4))
        >>> y = X @ [1.0, 2.0, 3.0, 4.0]
        >>> round(FusionRidgeRegressor("concat-linear").fit(X, y).score(X, y), 3)
        1.0
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> FusionRidgeRegressor:
        """Fit to rows and numbers.

        Raises:
            InputError: for an unknown head or a constant modality.
        """
        checked, numbers = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._fit(checked, np.asarray(numbers, np.float64)[:, None])
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Return the number predicted for each row."""
        return self._scores(X)[:, 0]


@checked
def learning_curve(
    estimator: FusionRidgeClassifier | FusionRidgeRegressor,
    X: ArrayLike,
    y: ArrayLike,
    *,
    train_sizes: ArrayLike = (0.1, 0.33, 0.55, 0.78, 1.0),
    cv: Any = 5,
) -> tuple[Integers, Array, Array]:
    """Measure scores against the number of training rows, in the form of scikit-learn's own.

    Each size takes the first rows of its fold, in an order that is drawn once for each fold. This
    refits; what a pilot predicts without refits is `fusiontheory.pilot.PilotCurve`.

    Args:
        estimator: unfitted; its head, split and ridge are used.
        X, y: as for ``fit``.
        train_sizes: shares of a fold's training rows (floats up to 1) or numbers of rows.
        cv: folds, as scikit-learn takes them.

    Returns:
        Sizes (k,), training scores and test scores (k, folds): accuracy or R^2.

    Raises:
        InputError: for sizes outside the fold.
    """
    rows, labels = np.asarray(X, np.float64), np.asarray(y)
    classifier = is_classifier(estimator)
    folds = list(check_cv(cv, labels, classifier=classifier).split(rows, labels))
    smallest = min(len(train) for train, _ in folds)
    asked = np.asarray(train_sizes)
    sizes = (asked * smallest).astype(np.int64) if asked.dtype.kind == "f" else asked
    if sizes.min() < 2 or sizes.max() > smallest:
        raise InputError(f"train_sizes must be from 2 to {smallest} rows, got {sizes.tolist()}")
    scores = np.empty((2, len(sizes), len(folds)))
    score = accuracy_score if classifier else r2_score
    for k, (train, test) in enumerate(folds):
        order = np.random.default_rng(k).permutation(train)
        for j, size in enumerate(sizes):
            part = order[:size]
            fitted = type(estimator)(**estimator.get_params()).fit(rows[part], labels[part])
            scores[0, j, k] = score(labels[part], fitted.predict(rows[part]))
            scores[1, j, k] = score(labels[test], fitted.predict(rows[test]))
    return sizes.astype(np.int64), scores[0], scores[1]
