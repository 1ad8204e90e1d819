"""Three checks of what the intervals of predicted accuracies are made of."""
