"""Does concat-mlp gain by being kept to the directions that image and text share?"""
