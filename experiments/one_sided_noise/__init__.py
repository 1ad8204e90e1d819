"""Whether noise on one modality alone does to networks what we predict."""
