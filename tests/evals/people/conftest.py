"""What these tests share with others: runs, and a LangSmith on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from runs import answered, command, sheet, write_run  # noqa: F401
from smith import smith  # noqa: F401
