"""Predicted against measured ridge risk on features with canonical correlations."""
