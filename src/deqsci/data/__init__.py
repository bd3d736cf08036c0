"""Training material."""
