"""Training of equilibrium models."""
