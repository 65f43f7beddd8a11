"""The other ways in: one chat model, an agent's middleware, an OpenAI-compatible endpoint."""
