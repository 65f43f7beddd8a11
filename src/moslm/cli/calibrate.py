"""``moslm calibrate``: what a confidence is worth, and from which one on answers may be kept.

With ``--outcomes`` it reads what several models really answered to known questions; `moslm.cli.outcomes` does that.
With ``--questions`` it puts labelled questions to the configured small models; `moslm.cli.answers` does that.
"""

from __future__ import annotations

import argparse

from moslm.cli import answers, outcomes
from moslm.errors import ConfigError

HELP = "Turn signals into the probability of being right, with thresholds"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is read and what is promised."""
    outcomes.arguments(parser)
    answers.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Do what the arguments ask for."""
    if options.outcomes is not None:
        return outcomes.run(options)
    if options.questions is not None:
        return answers.run(options)
    mend = "write --questions FILE or --outcomes DIR; moslm calibrate --help tells more"
    raise ConfigError("name what to calibrate on", mend=mend)
