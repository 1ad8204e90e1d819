"""Sets of pairs that share something, packed: the same sums at a part of the cost."""

import numpy as np
import pytest

from fusiontheory import Moments
from fusiontheory.curves import find_model
from fusiontheory.matching import SharedPairs, Terms, sharing_shift

BOTH, ALONE = frozenset({(True, True)}), frozenset({(True, False), (False, True), (True, True)})


@pytest.mark.parametrize("kinds", [BOTH, ALONE])
@pytest.mark.parametrize(("n", "images", "captions"), [(256, 256, 1), (2048, 500, 5)])
def test_packing_keeps_every_pair_and_every_link(n, images, captions, kinds):
    whole = SharedPairs.drawn(n, images, captions)
    groups = SharedPairs.packed(n, images, captions, kinds)
    assert sum(group.label.size for group in groups) == whole.label.size
    assert sum(group.label.sum() for group in groups) == whole.label.sum()
    texts = [group.text + group.captions for group in groups]
    assert sum((group.image * text).sum() for group, text in zip(groups, texts, strict=True)) == (
        (whole.image * (whole.text + whole.captions)).sum()
    )
    if kinds == ALONE:
        assert sum(group.image.sum() for group in groups) == whole.image.sum()
        assert sum(text.sum() for text in texts) == (whole.text + whole.captions).sum()


def test_a_bilinear_head_shares_nothing_with_one_caption():
    flat = np.eye(8) / 8
    moments = Moments.from_second_moments(flat, flat, 0.7 * flat)
    model = find_model("bilinear")(moments, Terms(score_law=False))
    found = sharing_shift(model, np.array([512.0]), 0.1, np.array([256.0]), 1)
    assert found.shift.tolist() == [0.0]
    assert found.risk.tolist() == [1.0]


def test_a_bilinear_head_shares_what_captions_of_one_image_have_in_common():
    rng = np.random.default_rng(0)
    image = rng.standard_normal((400, 8))
    text = image[:, None] + 0.5 * rng.standard_normal((400, 3, 8))
    model = find_model("bilinear")(Moments.from_features(image, text), Terms(score_law=False))
    found = sharing_shift(model, np.array([512.0]), 0.1, np.array([64.0]), 3)
    assert found.shift[0] < 0 < found.risk[0] - 1
