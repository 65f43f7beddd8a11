"""The TLS context of one's own certificate authority and client certificate; knows files and no server."""

from __future__ import annotations

import ssl
from pathlib import Path

from moslm.errors import ConfigError


def context_of(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """Return a context that demands a certificate for the host it asks.

    Args:
        ca_file: Certificates of whoever signs the servers' (PEM), in the place of the system's.
        cert_file: One's own certificate (PEM), for servers that ask who calls.
        key_file: Its private key; None where it stands in ``cert_file``.

    Raises:
        ConfigError: A file cannot be read, or holds no such thing.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise _unreadable(error, "ca_file", ca_file, "holds no certificate; name a PEM file") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file is not None:
        try:
            # a password would be asked for at the terminal
            context.load_cert_chain(cert_file, key_file, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            mend = "holds no certificate with a private key that belongs to it; name PEM files without a password"
            raise _unreadable(error, "cert_file", cert_file, mend) from None
    return context


def _unreadable(error: OSError, key: str, file: Path | None, otherwise: str) -> ConfigError:
    if isinstance(error, ssl.SSLError) or error.errno is None:
        problem, _, mend = otherwise.partition("; ")
        return ConfigError(problem, key=f"tls.{key}", value=str(file), mend=mend)
    return ConfigError(f"cannot be read: {error.strerror}", key=f"tls.{key}", value=str(file))
