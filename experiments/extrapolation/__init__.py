"""From a pilot of n0 pairs: how well is accuracy at 2, 4 and 8 times n0 foretold?"""
