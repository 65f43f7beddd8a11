"""Runs: systems are asked the cases of suites, and what came of each is kept as it comes."""
