"""Which hosts a configured address may name, and which in the clear. Knows no model and opens no connection.

An address passes if its host is named in the list, or is an address of a listed class: ``loopback`` (127.0.0.0/8, ::1
and the name localhost) or ``private`` (RFC 1918 and IPv6 unique local). Link-local addresses, where clouds keep the
credentials of their machines, belong to no class. Other names pass only when listed: what a name stands for is decided
by whoever answers for its zone, so `resolve_and_check` looks again when a connection is made.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from moslm.errors import BackendDown, ConfigError

Address = IPv4Address | IPv6Address

_PRIVATE = tuple(ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254")))
"""Metadata services of clouds that stand inside the private ranges."""
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_INSIDE_NAMES = re.compile(r"(^[^.]+$)|(\.(local|internal|lan|svc|svc\.cluster\.local)$)", re.IGNORECASE)
"""Names that no public zone holds."""
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def check_base_url(url: str, allow: Sequence[str], *, file: str | None = None, key: str = "base_url") -> None:
    """Refuse an address whose host is not allowed.

    Args:
        url: The configured address.
        allow: ``loopback``, ``private``, host names and addresses; ``http://HOST`` for one that may be asked in the
            clear though it is not seen to stand inside.
        file: File it stands in, for the message.
        key: Setting it stands in, for the message.

    Raises:
        ConfigError: It is not http(s), is written in a way that hides where it leads (a number for an address, a user
            name, an address of one family inside another ...), its host is not allowed, or it would be asked in the
            clear though it stands outside.
    """
    try:
        problem, mend = _problem(url, allow)
    except ValueError:
        problem, mend = "is not an address", _EXAMPLE
    if problem:
        raise ConfigError(problem, file=file, key=key, value=_without_secrets(url), mend=mend)


def is_allowed_host(host: str, allow: Sequence[str]) -> bool:
    """Tell whether a host, a name or an address without brackets, is of the list or of a class in it."""
    address = _address(host)
    if address is not None:
        return _is_allowed(address, allow)
    return host in _names(allow) or (host == "localhost" and "loopback" in allow)


def resolve_and_check(host: str, allow: Sequence[str]) -> list[str]:
    """Say where a connection to a host would lead, and refuse what is not allowed.

    Args:
        host: Host of an address that `check_base_url` let pass.
        allow: ``loopback``, ``private``, host names and addresses.

    Returns:
        The addresses it stands for; the host itself where it is one.

    Raises:
        ConfigError: The name leads to this machine without ``loopback`` being allowed, to a link-local or metadata
            address, or localhost leads elsewhere.
        BackendDown: The name cannot be resolved.
    """
    address = _address(host)
    if address is not None:
        if not _is_allowed(address, allow):
            raise _leads_astray(host, allow)
        return [host]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BackendDown("model server", "the name of the model server cannot be resolved") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(_may_stand_for(host, _unwrapped(each), allow) for each in addresses):
        raise _leads_astray(host, allow)
    return list(dict.fromkeys(map(str, addresses)))


_EXAMPLE = "write e.g. http://127.0.0.1:8000/v1"


def _problem(url: str, allow: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with an address and its mend; two empty texts if nothing is."""
    if not url.isascii() or not url.isprintable() or set(url) & set(" \\"):
        return "has characters that no address has", _EXAMPLE
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not an http(s) address", _EXAMPLE
    if "@" in parts.netloc:
        return "carries a user name", "leave it out; keys go into api_key_env"
    _ = parts.port  # raises ValueError where there is no such port
    host = parts.hostname
    if _address(host) is None and not _NAME.fullmatch(host):
        return "has a host that is no name", _EXAMPLE
    if _address(host) is None and _NUMBER.fullmatch(host.rpartition(".")[2]):
        return "has a number for a host, which hides the address it stands for", _EXAMPLE
    if not is_allowed_host(host, allow):
        return "its host is not allowed", f'add "{host}" to allow_hosts if it may be reached'
    if parts.scheme == "http" and not is_inside_host(host) and f"http://{host}" not in allow:
        return (
            "would be asked in the clear, at a host outside of loopback and private addresses",
            f'write https://, or add "http://{host}" to allow_hosts if only your own network lies between',
        )
    return "", ""


def _is_allowed(address: Address, allow: Sequence[str]) -> bool:
    """Judge an address as it is written: one family inside the other is of no class, and passes only when listed."""
    if str(address) in {str(_address(entry)) for entry in allow if _address(entry)}:
        return True
    if _unwrapped(address) != address:
        return False
    return ("loopback" in allow and address.is_loopback) or ("private" in allow and _is_private(address))


def _may_stand_for(host: str, address: Address, allow: Sequence[str]) -> bool:
    """Judge what an allowed name was resolved to: it may lead out, but not to this machine or a metadata service."""
    if _is_allowed(address, allow):
        return True
    harmless = address.is_global or _is_private(address) or (host == "localhost" and address.is_loopback)
    return harmless and host.lower() in _names(allow)


def is_private_host(host: str) -> bool:
    """Tell whether a host is written as an address of this machine or of a private network, or is ``localhost``."""
    address = _address(host)
    if address is None:
        return host.lower() == "localhost"
    return _unwrapped(address) == address and (address.is_loopback or _is_private(address))


def is_inside_host(host: str) -> bool:
    """Tell whether a host is a private one (`is_private_host`), or has a name that no public zone holds."""
    return is_private_host(host) or (_address(host) is None and bool(_INSIDE_NAMES.search(host)))


def _is_private(address: Address) -> bool:
    return address not in _METADATA and any(address in block for block in _PRIVATE if block.version == address.version)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    teredo = address.teredo
    if address in ip_network("64:ff9b::/96") or (address in ip_network("::/96") and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _names(allow: Sequence[str]) -> set[str]:
    return {entry.lower() for entry in allow if entry not in ("loopback", "private")}


def _address(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _leads_astray(host: str, allow: Sequence[str]) -> ConfigError:
    return ConfigError(
        "leads to an address that is not allowed",
        key="base_url",
        value=host,
        mend=f"correct the name, or add the address to allow_hosts (now: {', '.join(allow) or 'nothing'})",
    )


def _without_secrets(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at and "://" in head else url
