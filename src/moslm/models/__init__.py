"""Everything that predicts: chat models, classifiers, encoders, and the weights they need."""
