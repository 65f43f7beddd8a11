"""What each domain is, as data: its settings, prompt, examples and handbook."""
