"""Predicts which fusion of two modalities learns from fewer samples, and checks it.

>>> import numpy as np
>>> import fusiontheory as ft
>>> rng = np.random.default_rng(0)
>>> shared = rng.standard_normal((500, 8))
>>> image, text = shared + rng.standard_normal((500, 8)), shared
>>> curve = ft.predict_curve("bilinear", ft.Moments.from_features(image, text), [64, 512], ridge=1)
>>> list(curve.columns)
['n', 'risk', 'accuracy', 'accuracy_low', 'accuracy_high']
"""

import lazy_loader

# The names stand in __init__.pyi, each with its room, which is loaded when a name is asked for.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
