"""Whether networks of tokens are below their kernels because they are not trained well enough."""
