"""The population of objects: what captions name, and splits of its own."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from experiments.token_objects.config import POPULATIONS, Config, TokenObjects


def test_a_caption_names_an_object_that_is_shown() -> None:
    silent = TokenObjects(tokens=3, objects=5, d=8, noise=0.0)
    tokens, text = silent.draw(400, seed=0)
    prototypes, shown = np.unique(tokens.reshape(-1, 8).round(6), axis=0, return_inverse=True)
    words, named = np.unique(text.round(6), axis=0, return_inverse=True)
    assert len(prototypes) == len(words) == 5
    shown = shown.reshape(400, 3)
    # Each word goes with one prototype, which all images have whose caption it is.
    for word in range(5):
        images = shown[named == word]
        always = [k for k in range(5) if (images == k).any(axis=1).all()]
        assert len(always) == 1


def test_noise_has_the_length_that_is_asked_for() -> None:
    loud, silent = (TokenObjects(4, 6, noise=x).draw(500, seed=1)[0] for x in (0.7, 0.0))
    apart = ((loud - silent) ** 2).sum(axis=-1).mean()
    assert apart == pytest.approx(0.49, rel=0.05)


@pytest.mark.parametrize("population", list(POPULATIONS))
def test_seeds_draw_other_images_of_one_vocabulary(population: str) -> None:
    first, second = (Config().draw(population, seed) for seed in (0, 1))
    rows = np.concatenate([first.train, first.dev, first.test])
    assert np.unique(rows).size == rows.size == len(first.tokens)
    assert not np.allclose(first.tokens[:3], second.tokens[:3])
    # The mean token of a population is that of its prototypes.
    assert np.allclose(first.tokens.mean((0, 1)), second.tokens.mean((0, 1)), atol=0.02)
