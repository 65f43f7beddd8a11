"""``moslm calibrate``: what a confidence is worth, and from which one on answers may be kept.

With ``--outcomes`` it reads what several models really answered to known questions; `moslm.cli.outcomes` does that.
"""

from __future__ import annotations

import argparse

from moslm.cli import outcomes
from moslm.errors import ConfigError

HELP = "Turn signals into the probability of being right; report on a folder of outcomes"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is read and what is promised."""
    outcomes.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Do what the arguments ask for."""
    if options.outcomes is not None:
        return outcomes.run(options)
    raise ConfigError("name what to calibrate on", key="--outcomes", mend="moslm calibrate --help tells more")
