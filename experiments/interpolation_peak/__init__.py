"""The interpolation peak of additive and bilinear heads, without ridge and with it."""
