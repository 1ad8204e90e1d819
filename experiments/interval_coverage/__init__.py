"""Do the intervals of predicted accuracies cover the truth where the truth is known?"""
