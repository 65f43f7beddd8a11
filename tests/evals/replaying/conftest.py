import sys
from pathlib import Path

# tests run in importlib mode: what they share is found only if its folder is named
sys.path.insert(0, str(Path(__file__).parent))
