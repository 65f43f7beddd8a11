"""What is kept is kept encrypted: checkpoints, stores and whatever other rooms seal."""
