"""Run the study: ``python -m experiments.shared_images``."""

from experiments.shared_images.run import main

if __name__ == "__main__":
    main()
