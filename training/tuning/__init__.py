"""How the encoder is tuned, one concern a file; ``training/encoder.py`` is the way in."""
