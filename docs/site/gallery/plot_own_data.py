"""
From your own data to advice
============================

Two arrays of features and some labels: which fusion should you train, how sure is that, and what
would settle it? The data here are two views of handwritten digits that ship with the library. Put
your own arrays in their place.
"""

# %%
# Two arrays and labels
# ---------------------
#
# One row for each item, in the same order. The label says whether the digit is even.

import warnings

import numpy as np
import pandas as pd

import fusiontheory as ft
from fusiontheory.advice import example_digits

fourier, zernike, digit = example_digits()
v, t, even = fourier[:400], zernike[:400], digit[:400] % 2 == 0
v.shape, t.shape

# %%
# Advice
# ------
#
# Two hundred labelled items are the *pilot*. The advice is for 1600 items: would more data change
# which fusion is best?

rows = np.arange(200)
heads = ["concat-linear", "bilinear", "interaction", "concat-mlp"]
found = ft.advise(v[rows], t[rows], even[rows], target_n=1600, heads=heads)
print(found.headline)
print(found.recommendation)
print("Verdict:", found.verdict)
print("What would settle it:", found.settle)

# %%
# The numbers behind it: what each head should reach at 1600 items, with an interval, and the
# probability that it is the best of those asked.

found.tables["choice"].round(3)

# %%
# The curves, and how sure the choice is.

figures = found.figures()
figures["curves"]

# %%
# ``found.write_page("advice.html")`` writes all of this as one page that needs nothing else.
#
# Without labels
# --------------
#
# The task is then *matching*: do these two vectors belong to the same item? The answer comes from
# the features alone.

matching = ft.advise(v, t, heads=["bilinear", "concat-mlp"])
print(matching.headline)
print(matching.recommendation)
for note in matching.notes[:3]:
    print("-", note)

# %%
# Your own runs
# -------------
#
# Trained something yourself? Give its accuracies, and see which predictions they contradict. The
# numbers here are made up, to show the form.

image, text = ft.prepare(v, t)
moments = ft.Moments.from_features(image, text)
warnings.simplefilter("ignore", ft.ValidityWarning)  # the notes above have said it
curve = ft.predict_curve("bilinear", moments, [64, 128, 256], ridge="best")
runs = {"head": ["bilinear"] * 2, "n": [64, 256], "accuracy": [0.62, 0.75]}

ft.compare(curve, pd.DataFrame(runs)).points
