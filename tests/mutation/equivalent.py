"""Mutants that survive because what they change cannot show in any result, each with the reason."""

REASONS: dict[str, str] = {}
"""By the name of the mutant (`mutation.sample.Mutant.id`)."""
