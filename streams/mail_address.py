"""What is taken as an e-mail address: one mailbox, written plainly.

Narrower than RFC 5321 allows: no display name, comment, quoted local part or address literal, ASCII
only. What is left has no character that could end a header line, start a second address, or route
the mail on through another host ("%" and "!").
"""

from __future__ import annotations

import re
from typing import Final

_LOCAL: Final = r"[A-Za-z0-9#$&'*+/=?^_`{}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{}~-]+)*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX: Final = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(?:\.{_LABEL})+)")
#: RFC 5321, 4.5.3.1: octets of a local part, and of a whole path without its angle brackets.
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254


def check_mailbox(text: str) -> str:
    """Return an address as it is if it is one mailbox.

    >>> check_mailbox("desk+alerts@mail.example.org")
    'desk+alerts@mail.example.org'

    Raises:
        ValueError: It is not; the text says what an address is, and does not repeat the address.
    """
    found = _MAILBOX.fullmatch(text)
    if (
        found is None
        or len(text) > _LONGEST
        or len(found["local"]) > _LONGEST_LOCAL
        or found["domain"].rpartition(".")[2].isdigit()
    ):
        raise ValueError("an e-mail address is one plain mailbox, name@host.example, in ASCII")
    return text


def domain_of(address: str) -> str:
    """Return the host part of a mailbox, in lower case."""
    return address.rpartition("@")[2].lower()
