"""The signal of few images where matched pairs vary otherwise than mismatched ones."""

import numpy as np

from fusiontheory.moments import Moments
from fusiontheory.synthetic import find_population


def test_few_images_tell_by_how_much_matched_pairs_vary_more():
    """As tags in common make them: with what it was at larger ridges q was 7 to 8."""
    law, ridge = find_population("tags"), np.array([2.5e-4])
    found = []
    for images, seed in ((8000, 1), (500, 2), (500, 3)):
        sample = law.draw(images, np.random.default_rng(seed))
        signal = Moments.from_features(sample.image, sample.text).signal
        found.append((signal(ridge)[0][0], signal.error(ridge)[0]))
    many, *few = found
    for q, error in few:
        assert abs(q / many[0] - 1) < 0.25
        assert abs(q - many[0]) < 1.96 * error
