"""Whether networks with a sound threshold do what the paper says, and we predict, under noise."""
