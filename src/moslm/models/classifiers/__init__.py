"""Layer 1: what a request is about."""
