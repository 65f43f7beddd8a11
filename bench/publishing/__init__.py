"""What `bench/results.py` publishes: measured here, written down as JSON, shown from the JSON."""
