"""Whether concatenation and cross-attention are at chance under strong noise, at every n."""
