"""What would have been decided, kept and paid under other settings, from records alone: no model is called."""
