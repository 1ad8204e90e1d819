"""The items of a diagnosis of features, and what each does to a prediction beyond its range."""

from __future__ import annotations

__all__ = ["EFFECTS", "LOGARITHMIC"]

EFFECTS = {
    "mean_share": "Means far from 0: products of features with directions along the means are"
    " left out.",
    "length_kurtosis": "Lengths vary more than those of Gaussian rows: a few long rows decide what"
    " is learned, and accuracies at few pairs come out too high.",
    "length_kurtosis_low": "Lengths vary less than Gaussian ones in few dimensions: orders of the"
    " kernel that the theory counts as separate are the same.",
    "leading_kurtosis": "A leading direction has heavy tails: its products are far from Gaussian.",
    "leading_bimodality": "A leading direction has two humps, as clusters make: functions beyond"
    " products carry signal.",
    "leading_skewness": "A leading direction is one-sided: odd orders of the kernel carry signal.",
    "effective_dimensions": "In few effective dimensions higher orders of the kernel are learned"
    " that the theory counts as ridge: accuracies at many pairs come out too low.",
    "first_share": "One direction holds so much variance that products with it crowd out others.",
    "repeated_rows": "Many rows are the same: features are categories, and Gaussian formulas fail.",
    "distinct_values": "Coordinates take few values: features are discrete.",
    "near_duplicates": "Rows are near copies: there are fewer independent images than rows, so"
    " that signal is overestimated and intervals are too narrow. Pass groups=.",
    "grouped_copies": "Rows are copies by the groups that were given: pairs drawn from such rows"
    " repeat, and less is learned from them than from as many independent ones.",
    "largest_group": "Many rows are copies of one item by the groups that were given: mismatched"
    " pairs of it look matched, and its pairs are learned by heart.",
    "images_per_dimension": "Too few images for the dimension: weak directions are not seen, and"
    " what is said about many pairs is a guess.",
    "signal_agreement": "Two halves of the images do not show the same cross-covariance: the"
    " signal is mostly noise.",
    "leading_correlation": "A few directions of image and text are nearly the same: scores are"
    " far from normal.",
    "shared_lengths": "Lengths of image and text go together: matching can be learned from them,"
    " which the cross-covariance does not show.",
    "square_dependence": "Squares of image and text features depend on each other beyond their"
    " covariance: heads of higher order learn what is not predicted.",
    "mixed_dependence": "Features of one side depend on products of the other: heads of third"
    " order learn what is not predicted.",
}
"""What a value beyond its range does to a prediction, by item."""

LOGARITHMIC = frozenset(
    {"effective_dimensions", "images_per_dimension", "length_kurtosis", "length_kurtosis_low"}
)
"""Items whose distance beyond a range is measured on the scale of their logarithm."""
