"""How the gap between fusions moves as features are degraded: trends predicted and measured."""
