"""Chat models by the settings that name them."""
