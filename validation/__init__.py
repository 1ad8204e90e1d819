"""Measured against predicted: the shipped features and the runs on them."""
