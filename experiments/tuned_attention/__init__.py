"""Whether tuned heads of attention reach what kernels of their two starts say."""
