"""Model weights: which are pinned, where they are kept, how they get there. Knows no engine that loads them."""

from moslm.models.weights.catalog import PINNED, HubFile, Weights, WheelFile
from moslm.models.weights.pulling import Pulled, pull
from moslm.models.weights.shelf import find

__all__ = ["PINNED", "HubFile", "Pulled", "Weights", "WheelFile", "find", "pull"]
