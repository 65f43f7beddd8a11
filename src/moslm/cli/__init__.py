"""The command line: ``moslm COMMAND``, one command a file.

Each command's module has ``HELP`` (one line), ``arguments(parser)`` and ``run(options) -> int``; one with verbs names
their modules in ``VERBS``. Only the module of
the command that was asked for is imported, so help and mistakes answer at once. What MoSLM raises on purpose becomes
one line on stderr; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

from moslm.errors import MoSLMError
from moslm.telemetry.hiding import hide_texts_from_traces

COMMANDS: dict[str, tuple[str, str]] = {
    "ask": ("moslm.cli.ask", "Answer one request"),
    "chat": ("moslm.cli.chat", "Talk with MoSLM in the terminal"),
    "demo": ("moslm.cli.demo", "Answer six requests and show how each was decided"),
    "classify": ("moslm.cli.classify", "Say for each line of JSON what it is about and where it would go"),
    "api": ("moslm.cli.api", "Serve the graph as one model behind OpenAI's protocol"),
    "graph": ("moslm.cli.graph", "Draw the graph as mermaid or PNG"),
    "log": ("moslm.cli.log", "List the decisions that were made"),
    "explain": ("moslm.cli.explain", "Say in sentences why one request went the way it went"),
    "budget": ("moslm.cli.budget", "Say how every cap stands and what was spent"),
    "cost": ("moslm.cli.cost", "Say what owning it costs, beside one large model for everything"),
    "recall": ("moslm.cli.recall", "Say what is remembered and what it saved, or forget it"),
    "vault": ("moslm.cli.vault", "Seal the vault of personal data under the current key, or forget what is in it"),
    "config": ("moslm.cli.config", "Check the configuration; print its schema or an example"),
    "doctor": ("moslm.cli.doctor", "Say what is configured, what answers and what is missing"),
    "serve": ("moslm.cli.serve", "Bring up the configured model servers and watch them"),
    "pull": ("moslm.cli.pull", "Fetch model weights by pinned hash"),
    "fit": ("moslm.cli.fit", "Fit the classifier on the domains' examples"),
    "calibrate": ("moslm.cli.calibrate", "Turn signals into the probability of being right, with thresholds"),
    "eval": ("moslm.cli.eval", "Ask suites of cases, say how good, how dear and how fast, and hold it against a gate"),
}
"""Every command: its module and its line in the help."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a disk takes no more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name; by default those of the process.

    Returns:
        The exit code: 0 done; 1 done, with something amiss that the output names; 2 not done, for a reason told in one
        line on stderr; 130 interrupted; 141 nobody reads the output any more.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    hide_texts_from_traces()
    _print_anything()
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"moslm {_version()}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        return _fail(_unknown(name))
    return _run(name, rest)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, like every other."""

    def error(self, message: str) -> NoReturn:
        self.exit(_fail(f"{message}; run: {self.prog} --help"))


def _run(name: str, arguments: list[str]) -> int:
    try:
        command = import_module(COMMANDS[name][0])
        verbs: dict[str, tuple[str, str]] = getattr(command, "VERBS", {})
        if arguments and arguments[0] in verbs:
            verb, *arguments = arguments
            name, command = f"{name} {verb}", import_module(verbs[verb][0])
        parser = _Parser(prog=f"moslm {name}", description=f"{command.HELP}.", allow_abbrev=False)
        command.arguments(parser)
        code: int = command.run(parser.parse_args(arguments))
        sys.stdout.flush()
        return code
    except MoSLMError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read the output has gone: nothing is wrong here
        _write_nowhere()
        return 141
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _write_nowhere()
        return _fail(
            f"{error.filename or 'the output'} cannot be written: {error.strerror}; make room and run it again"
        )
    except SystemExit as end:
        # argparse ends so after help (0) and after a wrong argument (2)
        return end.code if isinstance(end.code, int) else 2


def _fail(text: str) -> int:
    print(f"moslm: {' '.join(text.split())}", file=sys.stderr)
    return 2


def _write_nowhere() -> None:
    """Keep Python from complaining, while it ends, about output that nobody takes."""
    with contextlib.suppress(io.UnsupportedOperation):  # no file stands behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_anything() -> None:
    """Let no character, however strange, end a command: terminals and pipes may not know it.

    What comes in is not bent like that: bytes that are no text are told, and never asked as if they were.
    """
    if hasattr(sys.stdin, "reconfigure"):
        with contextlib.suppress(io.UnsupportedOperation):  # it has been read from already
            sys.stdin.reconfigure(errors="strict")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: moslm COMMAND [ARGUMENTS]",
            "",
            "Answer requests on small local models, know when not to, and escalate inside a budget.",
            "",
            "commands:",
            *lines,
            "",
            "moslm COMMAND --help tells more; moslm --version names the version.",
        ]
    )


def _unknown(name: str) -> str:
    close = get_close_matches(name, COMMANDS, n=1)
    mend = f"did you mean {close[0]}?" if close else "run: moslm --help"
    return f"there is no command {name!r}; {mend}"


def _version() -> str:
    from moslm import __version__

    return __version__
