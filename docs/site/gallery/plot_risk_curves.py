"""
Risk curves
===========

How many samples does each fusion need? Three answers, from rough to exact: the orders that a paper
claims, a sharp formula, and a measurement beside it. Then the same for image-text matching, from
features alone.
"""

# %%
# What the paper claims
# ---------------------
#
# Zhou & Xie (arXiv:2606.01207) compare concatenation, which has d_v + d_t weights, with attention,
# which has d_v times d_t. Their figure 6 draws error against the number of samples n. Where
# concatenation can express the target as well as attention (left) it is below at every n; where it
# cannot (right), attention overtakes it.

import numpy as np
import pandas as pd

import fusiontheory as ft

ft.figure6()

# %%
# Orders have no scale: they say how an error falls, not how large it is.
#
# A sharp formula
# ---------------
#
# For *ridge regression* the test error follows from two things: the eigenvalues of the features,
# which say how many directions there are and how strong, and the power of the target along each.
# Here are 64 directions that get weaker and a target that lies in the strong ones.

eigenvalues = np.arange(1.0, 65) ** -1.2
target_power = 0.5 * eigenvalues / eigenvalues.sum()
ft.plot_risk(eigenvalues, target_power, np.geomspace(8, 512, 100), ridge=0.01, noise=0.1)

# %%
# Is it right? Draw features and a target with these properties, train, and measure. The fit is
# twelve training sets at each size; the error on fresh data follows exactly from the weights.

rng = np.random.default_rng(0)
sizes = np.array([16, 32, 64, 128, 256, 512])
ridge, noise = 0.01, 0.1
weights = np.sqrt(target_power / eigenvalues)


def measured_risk(n: int) -> float:
    """Return the mean squared error of ridge regression on n samples, labels with noise."""
    x = rng.standard_normal((n, 64)) * np.sqrt(eigenvalues)
    y = x @ weights + np.sqrt(noise) * rng.standard_normal(n)
    found = x.T @ np.linalg.solve(x @ x.T + ridge * np.eye(n), y)
    return float(eigenvalues @ (found - weights) ** 2 + noise)


predicted = ft.ridge_risk(eigenvalues, target_power, sizes, ridge, noise)
for n, risk in zip(sizes, predicted, strict=True):
    runs = [measured_risk(int(n)) for _ in range(12)]
    error = np.std(runs, ddof=1) / np.sqrt(len(runs))
    print(f"n = {n:3d}: predicted {risk:.3f}, measured {np.mean(runs):.3f} +- {error:.3f}")

# %%
# Around n = 64 the error goes up with more data: there are as many samples as weights, and the
# ridge is too small to hold the fit. *How to choose a ridge* says what to do about that.
#
# Image-text matching, from features alone
# ----------------------------------------
#
# The question is now whether an image and a text belong together. Nothing is trained: the
# prediction takes the *moments* of the features: averages of products of their coordinates. Each
# head gets its own best ridge at each n.

shared = rng.standard_normal((1500, 24))
image = shared + rng.standard_normal((1500, 24))
text = shared + rng.standard_normal((1500, 24))
moments = ft.Moments.from_features(*ft.prepare(image, text))

heads = ("bilinear", "concat-mlp", "dot-product")
curves = pd.concat(
    ft.predict_curve(head, moments, [64, 128, 256, 512, 1024], ridge="best").assign(head=head)
    for head in heads
)
ft.plot(curves)

# %%
# Who is ahead, and from which n?

ft.answer(curves)

# %%
# The column ``trusted`` says whether these features are of a kind on which predictions were seen to
# hold; the page *When to trust a prediction* explains it.

curves[["head", "n", "accuracy", "accuracy_low", "accuracy_high", "trusted"]].round(3)
