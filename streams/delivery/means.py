"""What the deliver stage needs to know of the installation: secrets, and proofs of addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from detectors.delivery_records import Subscription
from streams.secrets import challenge_text, signing_secrets
from streams.settings import Settings


class Installation:
    """The secrets of one installation."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """Take the settings and the clock."""
        delivery = settings.delivery
        self._given = {w.name: w.secret.get_secret_value() for w in delivery.webhooks}
        self._key = delivery.key.get_secret_value() if delivery.key else None
        self._public_url = delivery.smtp.public_url if delivery.smtp else None
        self._now = now

    def secrets(self, subscription: Subscription) -> str | None:
        """Return the signing secrets in use, with a space between; None where there is none."""
        given = self._given.get(subscription.id)
        if given is not None or self._key is None:
            return given
        return signing_secrets(self._key, subscription, self._now())

    def challenge(self, subscription: Subscription) -> str | None:
        """Return what an address has to answer with: a receiver itself, a reader by a link.

        None where the settings lack what it takes.
        """
        is_reader = subscription.sink == "email"
        if self._key is None or (is_reader and self._public_url is None):
            return None
        return challenge_text(self._key, subscription.id, subscription.secret)
