"""From signals to the probability of being right, and to the threshold that keeps a promise about it."""
