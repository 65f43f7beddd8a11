"""Makes sentences with names and addresses in them, and tunes the tagger that finds them."""
