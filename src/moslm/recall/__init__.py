"""Which earlier answer holds for a request, and for how long it may be given again."""
