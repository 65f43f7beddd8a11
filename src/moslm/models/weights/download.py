"""`download`: one URL into one file, resumed where it broke off. Knows neither what is fetched nor who checks it."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from moslm.errors import WeightsError

_CHUNK = 1 << 18
_TIMEOUT_S = 60.0


class Progress(Protocol):
    """Whoever watches a pull."""

    def advance(self, done: int, total: int | None) -> None:
        """Take note that ``done`` bytes of ``total`` are here."""

    def say(self, text: str) -> None:
        """Take note of one line about what happens."""


class Silent:
    """A `Progress` that shows nothing."""

    def advance(self, done: int, total: int | None) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server: what the user's pip or hub settings say about certificates, proxies and keys."""

    certificates: str | None = None
    """Bundle of certificate authorities; by default the system's, or ``SSL_CERT_FILE``."""
    proxy: str | None = None
    """Proxy for all requests; by default those of the environment (``HTTPS_PROXY`` ...)."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers for the first server alone; never sent on to where it redirects."""

    def opener(self) -> urllib.request.OpenerDirector:
        """Return an opener that follows these settings."""
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.certificates))
        ]
        if self.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": self.proxy, "https": self.proxy}))
        return urllib.request.build_opener(*handlers)


class RefusedError(WeightsError):
    """The server answered, and will not give the file to this client as it asks."""


def download(
    url: str, partial: Path, progress: Progress, connection: Connection | None = None, *, attempts: int = 5
) -> None:
    """Fetch a URL into ``partial``, going on from what is already there.

    Args:
        url: ``https``, ``http`` or ``file`` address; a name and password in it are sent as basic authentication.
        partial: File to fill; kept when the connection breaks, so that the next call resumes.
        progress: Told of every piece.
        connection: Certificates, proxy and headers.
        attempts: Connections that may break without a single byte before it is given up.

    Raises:
        RefusedError: The server refuses the request (4xx) or its certificate is not trusted.
        WeightsError: The connection broke too often; names what to do.
        OSError: The file cannot be written.
    """
    opener = (connection or Connection()).opener()
    failures = 0
    while True:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            _fetch(opener, _request(url, before, connection), partial, before, progress)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:
                error.close()
                # Nothing beyond what is here: complete, or longer than the file. The hash will tell.
                return
            _raise_unless_passing(error, url)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise RefusedError(f"the certificate of {_host(url)} is not trusted") from error
        except (ConnectionError, TimeoutError, http.client.HTTPException):
            pass
        failures = failures + 1 if _size(partial) == before else 0
        if failures >= attempts:
            raise WeightsError(f"{_host(url)} cannot be reached; run the same command again: it resumes where it broke")
        time.sleep(min(0.2 * 2**failures, 5))


def _fetch(
    opener: urllib.request.OpenerDirector,
    request: urllib.request.Request,
    partial: Path,
    before: int,
    progress: Progress,
) -> None:
    with opener.open(request, timeout=_TIMEOUT_S) as answer:
        resumed = answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), before)
        done = before if resumed else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        with partial.open("ab" if resumed else "wb") as file:
            progress.advance(done, total)
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress.advance(done, total)
        if total is not None and done < total:
            raise ConnectionError("the answer was cut short")


def _request(url: str, before: int, connection: Connection | None) -> urllib.request.Request:
    address, authorization = _split_password(url)
    request = urllib.request.Request(address)
    headers = dict(connection.headers) if connection else {}
    if authorization:
        headers.setdefault("Authorization", authorization)
    for name, value in headers.items():
        request.add_unredirected_header(name, value)
    # Compressed answers have other offsets.
    request.add_header("Accept-Encoding", "identity")
    if before:
        request.add_header("Range", f"bytes={before}-")
    return request


def _split_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    user, _, host = parts.netloc.rpartition("@")
    secret = base64.b64encode(unquote(user).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f"Basic {secret}"


def _starts_at(content_range: str | None, offset: int) -> bool:
    match = re.match(r"bytes (\d+)-", content_range or "")
    return bool(match) and int(match[1]) == offset  # type: ignore[index]


def _raise_unless_passing(error: urllib.error.HTTPError, url: str) -> None:
    error.close()
    if error.code < 500 and error.code not in (408, 425, 429):
        raise RefusedError(f"{_host(url)} refuses the file (status {error.code})") from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the source"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
