"""Brings model servers up, watches them, takes them down: vLLM on GPU or CPU, and the embedded engine."""
