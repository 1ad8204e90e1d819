"""Predicts which fusion of two modalities learns from fewer samples, and checks it.

>>> import numpy as np
>>> import fusiontheory as ft
>>> rng = np.random.default_rng(0)
>>> shared = rng.standard_normal((500, 8))
>>> image, text = shared + rng.standard_normal((500, 8)), shared
>>> moments = ft.Moments.from_features(*ft.prepare(image, text))
>>> curve = ft.predict_curve("bilinear", moments, [64, 512], ridge=1)
>>> list(curve.columns)
['n', 'risk', 'accuracy', 'accuracy_low', 'accuracy_high']
"""

from typing import Any

import lazy_loader

# The names stand in __init__.pyi, each with its room, which is loaded when a name is asked for.
_loaded, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Return a public name from its room, or the version of the installed package."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("fusiontheory")
        except PackageNotFoundError:
            return "unknown"  # a checkout that was never installed
    return _loaded(name)
