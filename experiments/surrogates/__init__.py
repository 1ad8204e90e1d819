"""What of the theory's error on real features is left on Gaussian ones of the same moments."""
