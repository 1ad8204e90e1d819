"""How far the logits of a bilinear head grow under Adam, and how far its bias follows them."""
