"""Whether heads that were never tuned leave chance, and their kernels, when they are tuned."""
