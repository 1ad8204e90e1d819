"""Predicted against measured ridge risk of additive and bilinear heads."""
