"""Does it work? Labelled questions, their grading, and what the configured models answer to them."""
