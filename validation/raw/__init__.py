"""From raw images and captions, or from plain arrays, to a report: one command each.

`arrays.arrays_file` makes a features file of arrays, `images.features_of_images` of images and
captions, and `study.study_features` takes features by condition through kernel heads, trained heads
and the reports. Nothing is imported here: the command line starts without torch.
"""
