"""Which head wins over alignment and interaction: measured crossovers against predicted ones."""
