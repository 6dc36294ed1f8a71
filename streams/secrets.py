"""What is derived from the installation's master key: signing secrets, and the texts of links.

Nothing derived is stored or sent over Kafka: whoever holds the key can work it out again. Each use
has a prefix of its own, so no value of one use is ever a value of another (HMAC-SHA256, RFC 2104).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from detectors.delivery_records import Subscription

#: The fewest characters of a master key.
SHORTEST_KEY: Final = 32
#: For so long after a change of secret the one before is still used beside it.
OVERLAP: Final = timedelta(hours=24)
#: Characters of an unsubscribe token and of a challenge: 192 bits.
TOKEN_LENGTH: Final = 32


class WeakKeyError(ValueError):
    """The master key is too short to be one."""


def signing_secrets(key: str, subscription: Subscription, now: datetime) -> str:
    """Return the secrets with which a subscription's messages are signed (Standard Webhooks).

    Args:
        key: The installation's master key, `TOCSIN_DELIVERY_KEY`.
        subscription: Its id, the number of its secret, and when that replaced the one before.
        now: The time, with a zone.

    Returns:
        `whsec_` and base64. For 24 hours after a change two, the new one first, with a space
        between, so that a receiver has time to take over the new one.

    Raises:
        WeakKeyError: The key has fewer than 32 characters.
    """
    secrets = [_signing_secret(key, subscription.id, subscription.secret)]
    changed = subscription.rotated_at
    if changed is not None and subscription.secret > 1 and now < changed + OVERLAP:
        secrets.append(_signing_secret(key, subscription.id, subscription.secret - 1))
    return " ".join(secrets)


def unsubscribe_token(key: str, id: str) -> str:
    """Return what proves that a link to end subscription `id` came from this installation.

    It stays the same for the life of the subscription, so that links in old mails work.

    Raises:
        WeakKeyError: The key has fewer than 32 characters.
    """
    return _text(key, f"unsubscribe/{id}")


def challenge_text(key: str, id: str, number: int) -> str:
    """Return what an address has to give back to prove that it wants subscription `id`.

    Args:
        key: The installation's master key.
        id: The subscription.
        number: The number of its secret; with another number the text is another.

    Raises:
        WeakKeyError: The key has fewer than 32 characters.
    """
    return _text(key, f"challenge/{id}/{number}")


def _signing_secret(key: str, id: str, number: int) -> str:
    return "whsec_" + base64.b64encode(_derived(key, f"sign/{id}/{number}")).decode()


def _text(key: str, use: str) -> str:
    return base64.urlsafe_b64encode(_derived(key, use)).decode()[:TOKEN_LENGTH]


def _derived(key: str, use: str) -> bytes:
    if len(key) < SHORTEST_KEY:
        raise WeakKeyError(
            f"the delivery key has {len(key)} characters and needs {SHORTEST_KEY}: "
            "set TOCSIN_DELIVERY_KEY to the output of `openssl rand -base64 33`"
        )
    return hmac.new(key.encode(), use.encode(), hashlib.sha256).digest()
