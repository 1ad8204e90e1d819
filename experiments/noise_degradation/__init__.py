"""How noise, alignment strength and correlation move the accuracies and their gap."""
