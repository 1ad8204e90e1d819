"""Are predictions right on features that the theory was not made for, and do they say if not?"""
