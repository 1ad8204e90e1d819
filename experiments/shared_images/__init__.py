"""What sharing images and texts among training pairs changes, measured and predicted."""
