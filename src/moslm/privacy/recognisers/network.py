"""Where a machine or a page is: IP and MAC addresses, web addresses with a login or of a person's profile."""

from __future__ import annotations

import re
from ipaddress import ip_address

from moslm.privacy.recognisers.pattern import Pattern


def _leads_to_somebody(text: str) -> bool:
    # Face::add is a name in a program; an address without one digit is not met
    if not any(each.isdigit() for each in text):
        return False
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return str(address) not in ("127.0.0.1", "::1") and not address.is_unspecified


NETWORK = (
    Pattern(
        "IP_ADDRESS",
        re.compile(r"(?<![\w.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![^\W_])(?!\.\d)"),
        0.9,
        _leads_to_somebody,
    ),
    Pattern(
        "IP_ADDRESS",
        re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]*:)[0-9A-Fa-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![^\W_]|:)"),
        0.9,
        _leads_to_somebody,
    ),
    Pattern(
        "MAC_ADDRESS", re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:])")
    ),
    Pattern("MAC_ADDRESS", re.compile(r"(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"), 0.8),
    Pattern("URL", re.compile(r"(?<![^\W_])[A-Za-z][\w+.-]{1,20}://[^\s/?#@\"'<>]{1,200}@[^\s\"'<>]{1,2000}"), 1.0),
    Pattern(
        "URL",
        re.compile(
            r"(?:https?://)?(?:[\w-]{1,20}\.)?(?:linkedin\.com/in|xing\.com/profile|facebook\.com|instagram\.com|"
            r"twitter\.com|x\.com|github\.com|t\.me)/@?(?!in/|share|search|orgs/)[\w.%-]{2,100}",
            re.IGNORECASE,
        ),
        0.6,
    ),
)
