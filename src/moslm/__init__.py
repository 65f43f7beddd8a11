"""MoSLM: cost-safe agents on small language models, as a LangGraph plugin."""
