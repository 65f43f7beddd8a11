"""Made-up documents full of personal data, and what of it is left when they were hidden. Draws from a seed alone."""
