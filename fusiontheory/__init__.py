"""Predicted and measured risk of fusing two modalities."""
