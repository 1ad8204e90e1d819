"""Faults on purpose: what `make torture` does to the library; the suite runs a little of it."""
