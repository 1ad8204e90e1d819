"""Why is concat-mlp predicted too low at many pairs of the shipped features?"""
