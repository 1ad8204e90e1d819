"""Studies: each folder has its question, settings, run and stored results."""
