"""What a text states, without knowing what it means: its assertions, whether it declines, whether two texts agree."""
