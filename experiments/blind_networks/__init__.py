"""Whether predictions of trained networks hold on features on which no network had been trained."""
