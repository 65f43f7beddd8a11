"""Traces without texts, in processes that are ours.

LangSmith's tracer sends what every step was given and gave. In a program of somebody else that is theirs to decide; in
our commands and in the Studio app nobody has, so nothing that a request says goes along until somebody says it may.
"""

from __future__ import annotations

import os

_HIDDEN = ("LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS")


def hide_texts_from_traces() -> None:
    """Have LangSmith hide inputs and outputs, unless the environment says ``false``; to be called before it is used."""
    for name in _HIDDEN:
        os.environ.setdefault(name, "true")
