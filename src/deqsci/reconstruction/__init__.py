"""From a snapshot to a video: maps, equilibrium models, schedules, and all of them by name."""
