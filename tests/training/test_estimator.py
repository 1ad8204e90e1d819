"""Estimators: scikit-learn's own checks, pairs of arrays, and what bad input gets."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn", minversion="1.6")
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from fusiontheory.checks import InputError
from fusiontheory.networks import NETWORKS
from fusiontheory.training import FusionClassifier


def small(head="concat-mlp", **settings):
    given = {"epochs": 8, "batch_size": 64, "learning_rate": 0.1, "random_state": 0}
    return FusionClassifier(head, **(given | settings))


def draw(n=200, d=4, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, 2 * d))
    return x, np.where((x[:, :d] * x[:, d:]).sum(axis=1) > 0, "match", "other")


# The network with hidden layers stands for all: the checks train on additive labels, at
# chance for a head that multiplies image and text, and on any number of columns.
@parametrize_with_checks([small(network={"hidden": (16,)})])
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("head", NETWORKS)
def test_every_head_fits_predicts_and_has_probabilities(head):
    chunked = {"chunks": 2} if head == "token-attention" else {}
    x, y = draw()
    model = small(head, network=chunked, epochs=2).fit(x, y)
    assert model.network_.name == head
    probabilities = model.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (model.predict(x) == model.classes_[probabilities.argmax(axis=1)]).all()
    assert model.score(x, y) == np.mean(model.predict(x) == y)


def test_learns_and_a_pair_of_arrays_is_side_by_side():
    x, y = draw(400)
    test, labels = draw(200, seed=1)
    model = small("bilinear", epochs=30).fit(x, y)
    assert model.score(test, labels) > 0.9
    paired = small("bilinear", epochs=30).fit((x[:, :4], x[:, 4:]), y)
    pair = (test[:, :4], test[:, 4:])
    np.testing.assert_array_equal(paired.decision_function(pair), model.decision_function(test))


def test_uneven_columns_parameters_and_search():
    x, y = draw()
    model = small("low-rank", d_v=3, parameters=40).fit(x, y)
    assert (model.network_.d_v, model.network_.d_t) == (3, 5)
    assert sum(p.numel() for p in model.network_.parameters()) == 41
    search = GridSearchCV(small("bilinear", epochs=3), {"learning_rate": [1e-5, 0.1]}, cv=2)
    assert search.fit(x, y).best_params_ == {"learning_rate": 0.1}


def test_held_out_rows_stop_training():
    x, _ = draw()
    noise = np.random.default_rng(1).integers(0, 2, len(x))
    stopped = small(epochs=40, patience=2, validation_fraction=0.25).fit(x, noise)
    assert stopped.n_iter_ < 40


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "nothing"}, "head must be one of"),
        ({"d_v": 8}, "d_v must be below the 8"),
        ({"network": {"rank": 2}}, "settings must be those of concat-mlp"),
        ({"device": "cuda:99"}, "device must be one of"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"validation_fraction": 1.0}, "validation_fraction must be"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"head": "bilinear", "optimiser": "sgd", "learning_rate": 1e38}, "lower it"),
    ],
)
def test_bad_settings(settings, message):
    x, y = draw()
    model = small().set_params(**settings)
    with pytest.raises(InputError, match=message):
        model.fit(1e10 * x, y)


def test_bad_pairs_of_arrays():
    x, y = draw()
    with pytest.raises(InputError, match="as many rows"):
        small().fit((x[:, :4], x[1:, 4:]), y)
    with pytest.raises(InputError, match="d_v must be the 4 columns"):
        small(d_v=3).fit((x[:, :4], x[:, 4:]), y)
