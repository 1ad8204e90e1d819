"""What attention over an image's tokens is worth, predicted, measured as kernels, and trained."""
