import importlib
import subprocess
import sys

import pytest

from moslm import __version__, cli
from moslm.errors import ConfigError

HEAVY = ("langgraph", "langchain_core", "langchain_openai", "pydantic", "numpy", "wordllama", "openai", "sqlite3")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["no-such-command"]])
def test_help_and_mistakes_import_nothing_heavy(arguments):
    code = f"""if True:
        import sys
        from moslm.cli import main
        main({arguments!r})
        sys.exit(" ".join(name for name in {HEAVY!r} if name in sys.modules) or 0)
    """
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr.replace("\n", "")[:5]) in ((0, ""), (0, "moslm"))


def test_help_lists_every_command_with_its_line(moslm_command):
    code, out, _ = moslm_command("--help")
    assert code == 0
    for name, (_, text) in cli.COMMANDS.items():
        assert f"  {name} " in out
        assert text in out


def test_no_command_is_a_wish_for_help(moslm_command):
    assert moslm_command() == moslm_command("--help")


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_is_a_module_of_the_agreed_shape(name):
    module = importlib.import_module(cli.COMMANDS[name][0])
    assert cli.COMMANDS[name][1] == module.HELP
    assert callable(module.arguments)
    assert callable(module.run)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_tells_its_arguments(name, moslm_command):
    code, out, _ = moslm_command(name, "--help")
    assert code == 0
    assert out.startswith(f"usage: moslm {name}")


def test_the_version_is_the_packages(moslm_command):
    assert moslm_command("--version") == (0, f"moslm {__version__}\n", "")


def test_a_misspelt_command_is_corrected(moslm_command):
    assert moslm_command("exlpain") == (2, "", "moslm: there is no command 'exlpain'; did you mean explain?\n")


def test_a_command_like_no_other_points_at_the_help(moslm_command):
    assert moslm_command("zzz") == (2, "", "moslm: there is no command 'zzz'; run: moslm --help\n")


def test_a_wrong_argument_is_one_line(moslm_command):
    code, out, err = moslm_command("log", "--outcome", "lost")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("moslm: argument --outcome: invalid choice: 'lost'")


def raising(error, monkeypatch):
    command = importlib.import_module("moslm.cli.config")

    def run(options):
        raise error

    monkeypatch.setattr(command, "run", run)


def test_what_moslm_raises_on_purpose_is_one_line_and_no_traceback(moslm_command, monkeypatch):
    raising(ConfigError("must be\nless", file="moslm.toml", key="a.b", value=8, mend="write 0.8"), monkeypatch)
    assert moslm_command("config", "check") == (2, "", "moslm: moslm.toml: a.b = 8: must be less; write 0.8\n")


def test_an_interrupted_command_ends_as_shells_expect(moslm_command, monkeypatch):
    raising(KeyboardInterrupt(), monkeypatch)
    assert moslm_command("config", "check") == (130, "", "")


def test_a_bug_keeps_its_traceback(moslm_command, monkeypatch):
    raising(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        moslm_command("config", "check")


def test_a_reader_that_goes_away_is_no_complaint(process, folder):
    code = "import sys; from moslm.cli import main; sys.exit(main(['config', 'schema']))"
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer.stdout.close()
    assert (writer.wait(60), writer.stderr.read()) == (141, b"")
    writer.stderr.close()


def test_characters_the_terminal_does_not_know_do_not_end_a_command(process, log):
    from decision_samples import a_decision

    log.append(a_decision(tenant="Größe\ud800"[:5]))
    ended = process("log", env={**__import__("os").environ, "PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"Gr??e" in ended.stdout


def test_a_full_disk_is_one_line(process, folder):
    with open("/dev/full", "wb") as full:
        code = "import sys; from moslm.cli import main; sys.exit(main(['config', 'schema']))"
        ended = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, timeout=60)
    told = b"moslm: the output cannot be written: No space left on device; make room and run it again\n"
    assert (ended.returncode, ended.stderr) == (2, told)
