"""What may leave the premises."""
