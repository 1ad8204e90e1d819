"""Fusion networks as a scikit-learn classifier; needs scikit-learn 1.6 or newer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.training.dataset import IndexedPairs, PairDataset
from fusiontheory.training.groups import MemberGroup
from fusiontheory.training.members import Architecture, Member
from fusiontheory.training.method import checked_device
from fusiontheory.training.settings import TrainingSettings
from fusiontheory.typing import AnyArray, Integers

__all__ = ["FusionClassifier"]


# Pairs of one forward pass of a prediction.
_BLOCK = 4096


class FusionClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fusion network that classifies pairs of an image and a text feature in two classes.

    X is (n, d_v + d_t), image and text side by side, or the pair (image, text) of arrays. The rows
    of X are taken as they are: scale or normalise before.

    Args:
        head: one of `fusiontheory.networks.NETWORKS`.
        d_v: columns of X that are the image; half of them, rounded down, if None. Not needed for
            a pair of arrays.
        network: settings of the network; see its class.
        parameters: about how many parameters it shall have; None for its own width.
        learning_rate, weight_decay, epochs, optimiser, dtype: see `TrainingSettings`.
        batch_size: pairs of one update, at most all of the training rows.
        patience: epochs without a better one on the held-out rows after which training stops.
        validation_fraction: share of the rows held out, drawn at random, to choose the epoch;
            0 for none. Images that are in several rows may be on both sides then: where that
            matters, use `PairDataset`, which refuses it.
        device: "cpu" or "cuda".
        random_state: of weights, order of the rows, and held-out rows.

    Attributes:
        classes_: the two labels; the logit is of the second.
        n_features_in_: columns of X.
        d_v_: those of them that are the image.
        network_: the trained network, on the CPU.
        n_iter_: epochs done.
        diverged_: whether a loss was not finite; then ``fit`` raises.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((400, 6))
        >>> y = (X[:, :3] * X[:, 3:]).sum(axis=1) > 0
        >>> model = FusionClassifier("dot-product", learning_rate=0.05, random_state=0)
        >>> bool(model.fit(X, y).score(X, y) > 0.95)
        True
    """

    def __init__(
        self,
        head: str = "concat-mlp",
        *,
        d_v: int | None = None,
        network: Mapping[str, Any] | None = None,
        parameters: int | None = None,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_size: int = 256,
        epochs: int = 100,
        optimiser: str = "adam",
        dtype: str = "float32",
        patience: int | None = None,
        validation_fraction: float = 0.0,
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        """Keep the settings; they are checked in ``fit``."""
        self.head = head
        self.d_v = d_v
        self.network = network
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.optimiser = optimiser
        self.dtype = dtype
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: two classes alone."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike | tuple[ArrayLike, ArrayLike], y: ArrayLike) -> FusionClassifier:
        """Train on X and the labels y (n,) of two classes.

        Raises:
            InputError: for settings that the network or the training cannot use, a device that is
                not there, more or fewer than two classes, a loss that is not finite.
            ValueError: of scikit-learn, for an X or y that is not numeric and finite, or of
                different lengths.
        """
        joined, d_v = self._side_by_side(X)
        rows, labels = validate_data(self, joined, y, dtype=np.float32)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            # The middle sentence is the one that scikit-learn's checks look for.
            raise InputError(
                f"y must have two classes, got {len(self.classes_)} class"
                f"{'es' * (len(self.classes_) > 1)}. Only binary classification is supported."
                f" The type of the target is {type_of_target(labels)}."
            )
        self.d_v_ = self._image_columns(rows.shape[1], d_v)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings, dataset = self._task(rows, np.where(codes == 1, 1.0, -1.0), seed)
        architecture = Architecture(self.head, self.network or {}, self.parameters)
        member = Member(dataset, seed)
        group = MemberGroup(architecture, (member,), settings, "looped", self.device)
        [trained] = group.train()
        self.n_iter_ = trained.progress.epochs
        self.diverged_ = trained.progress.diverged
        if self.diverged_:
            raise InputError(
                f"learning_rate {self.learning_rate} made the loss infinite or NaN after"
                f" {trained.progress.updates} updates; lower it, or scale X"
            )
        sides = (self.d_v_, rows.shape[1] - self.d_v_)
        self.network_ = architecture.build(*sides)
        torch.nn.utils.vector_to_parameters(
            trained.progress.weights.cpu(), self.network_.parameters()
        )
        return self

    def decision_function(self, X: ArrayLike | tuple[ArrayLike, ArrayLike]) -> AnyArray:
        """Return the logits (n,): the log-odds of ``classes_[1]``."""
        check_is_fitted(self)
        joined, _ = self._side_by_side(X)
        rows = validate_data(self, joined, dtype=np.float32, reset=False)
        device = checked_device(self.device)
        # In float32 the logit of a row would depend on the rows beside it, by rounding.
        network = copy.deepcopy(self.network_).to(device, torch.float64)
        parts = []
        with torch.no_grad():
            for start in range(0, len(rows), _BLOCK):
                block = torch.tensor(rows[start : start + _BLOCK], device=device).double()
                parts.append(network(block[:, : self.d_v_], block[:, self.d_v_ :]).cpu().numpy())
        return np.concatenate(parts)

    def predict_proba(self, X: ArrayLike | tuple[ArrayLike, ArrayLike]) -> AnyArray:
        """Return the probabilities (n, 2) of the classes, in the order of ``classes_``."""
        logits = torch.from_numpy(self.decision_function(X))
        positive: AnyArray = torch.sigmoid(logits).numpy()
        return np.stack([torch.sigmoid(-logits).numpy(), positive], axis=1)

    def predict(self, X: ArrayLike | tuple[ArrayLike, ArrayLike]) -> AnyArray:
        """Return the label (n,) that is more likely."""
        positive = self.decision_function(X) > 0
        classes: AnyArray = self.classes_[positive.astype(int)]
        return classes

    def score(
        self,
        X: ArrayLike | tuple[ArrayLike, ArrayLike],
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Return the share of rows classified right."""
        right = self.predict(X) == np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return float(np.average(right, weights=weights))

    def _side_by_side(
        self, X: ArrayLike | tuple[ArrayLike, ArrayLike]
    ) -> tuple[ArrayLike, int | None]:
        """Return X as scikit-learn takes it, and the image's columns if it was a pair."""
        if not (isinstance(X, tuple) and len(X) == 2):
            return X, None
        image, text = (np.asarray(side) for side in X)
        if image.ndim != 2 or text.ndim != 2 or len(image) != len(text):
            raise InputError(
                "X must be two arrays of as many rows, (n, d_v) and (n, d_t), got shapes"
                f" {image.shape} and {text.shape}"
            )
        if self.d_v not in (None, image.shape[1]):
            raise InputError(f"d_v must be the {image.shape[1]} columns of image, got {self.d_v}")
        return np.concatenate([image, text], axis=1), image.shape[1]

    def _image_columns(self, columns: int, d_v: int | None) -> int:
        if columns < 2:
            raise InputError(f"X must have a column for each modality, got n_features = {columns}")
        if d_v is not None:
            return d_v
        if self.d_v is None:
            return columns // 2
        if positive_integer("d_v", self.d_v) >= columns:
            raise InputError(f"d_v must be below the {columns} columns of X, got {self.d_v}")
        return self.d_v

    def _task(
        self, rows: AnyArray, labels: AnyArray, seed: int
    ) -> tuple[TrainingSettings, PairDataset]:
        """Return the settings, and the rows as pairs of which some are held out."""
        n = len(rows)
        if not 0 <= self.validation_fraction < 1:
            raise InputError(
                f"validation_fraction must be from 0 to below 1, got {self.validation_fraction}"
            )
        order = np.random.default_rng(seed).permutation(n)
        held_out = int(np.ceil(self.validation_fraction * n))
        if held_out >= n:
            raise InputError(f"X must have rows left to train on, got n_samples = {n}")

        def pairs(index: Integers) -> IndexedPairs | None:
            return IndexedPairs(index, index, labels[index]) if index.size else None

        train = pairs(np.sort(order[held_out:]))
        assert train is not None
        settings = TrainingSettings(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=min(positive_integer("batch_size", self.batch_size), len(train)),
            epochs=self.epochs,
            patience=self.patience,
            optimiser=self.optimiser,
            dtype=self.dtype,
        )
        image, text = (
            np.ascontiguousarray(x) for x in (rows[:, : self.d_v_], rows[:, self.d_v_ :])
        )
        dev = pairs(np.sort(order[:held_out]))
        return settings, PairDataset("X", image, text, np.arange(n), train, dev)
