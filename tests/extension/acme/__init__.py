"""A stranger's package: what a team adds to MoSLM without touching it."""
