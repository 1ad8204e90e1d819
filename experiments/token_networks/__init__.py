"""Whether networks of tokens are predicted when their search is wide enough."""
