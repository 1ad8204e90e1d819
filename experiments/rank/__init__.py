"""Low-rank against full bilinear heads on low-rank targets, and what counts as their parameters."""
