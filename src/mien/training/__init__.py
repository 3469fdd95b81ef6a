"""A recipe becomes a run folder: stages, checkpoints, and a model file at the end."""
