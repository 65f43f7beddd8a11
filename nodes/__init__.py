"""One step of the graph a file."""
