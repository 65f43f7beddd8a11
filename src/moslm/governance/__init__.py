"""What an auditor asks for: the log of closed decisions, and its explanation in sentences."""
