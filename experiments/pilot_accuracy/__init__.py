"""Do the intervals of an accuracy that is forecast from a pilot hold what they promise?"""
