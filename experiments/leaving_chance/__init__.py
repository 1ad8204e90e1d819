"""Whether the head of tokens that is at chance at the fixed setting has to be there."""
