"""Samples that additive and bilinear heads need for a fixed excess risk, against the dimension."""
