"""Webhooks: CloudEvents 1.0 in JSON, signed as Standard Webhooks says.

Formats: CloudEvents 1.0.2, HTTP binding in structured mode (cloudevents.io); Standard Webhooks
1.0 (standardwebhooks.com). The receiver's status line is its answer; a body is only read, and
only its beginning, where it has to repeat a challenge.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote

import aiohttp
import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from detectors.records import Subscription
from streams.sinks.base import Answer, Delivered, Message, Rejected, Retry, SinkContext
from streams.sinks.guard import ForbiddenAddress, GuardedResolver, check_url, system_resolve
from streams.wording import DISCLAIMER, headline, summary

#: CloudEvents type by the kind of message.
EVENT_TYPES: Final = {
    "alert": "tocsin.alert.v1",
    "digest": "tocsin.digest.v1",
    "test": "tocsin.test.v1",
    "challenge": "tocsin.challenge.v1",
    "notice": "tocsin.notice.v1",
}
#: Replies that ask for another try: timeout, too early, too many requests.
_RETRY_STATUSES: Final = frozenset({408, 425, 429})
#: aiohttp stops reading at twice this many bytes: 64 KiB of an unasked reply at most.
_READ_BUFFER: Final = 32 * 1024
_LONGEST_PROOF: Final = 4_096  # bytes of the answer to a challenge that are read
_LONGEST_WAIT_SECONDS: Final = 86_400.0


class WebhookSink:
    """Posts each message to the https address of a subscription."""

    name: ClassVar[str] = "webhook"

    def __init__(self, context: SinkContext) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Post one message, signed with `secret`.

        Args:
            message: What to send.
            subscription: Its `address` is the URL.
            secret: `whsec_` and base64, or several with spaces between while one replaces another.

        Returns:
            Delivered on 2xx; a challenge also has to be answered with its text. Retry on 408, 425,
            429, 5xx, a timeout, or where no connection or address was to be had. Rejected on any
            other reply (a redirect and 410 among them), a missing or malformed secret, and an
            address that may not be contacted.
        """
        try:
            url = check_url(subscription.address, self._context.allowed_hosts)
            body = cloud_event(message, self._context.source)
            headers = _signed(secret, message_id(message.id), self._context.now(), body)
            async with self._client().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as reply:
                wait = retry_after(reply.headers.get("Retry-After"), self._context.now())
                if message.kind == "challenge" and 200 <= reply.status < 300:
                    return _proved(await reply.content.read(_LONGEST_PROOF), message.text)
                return _answer(reply.status, wait)
        except (ForbiddenAddress, _UnusableSecret) as error:
            return Rejected(str(error))
        except TimeoutError:
            return Retry(0.0, f"no reply within {self._context.timeout_seconds:g} s")
        except aiohttp.InvalidURL:
            return Rejected("the address is not a URL")
        except (aiohttp.ClientError, OSError) as error:
            # The kind of failure only: its text could tell a subscriber about the network here.
            return Retry(0.0, f"no connection: {type(error).__name__}")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            context = self._context
            resolver = GuardedResolver(context.resolve or system_resolve, context.allowed_hosts)
            self._session = aiohttp.ClientSession(
                # Every connection resolves and checks anew, and serves one request.
                connector=aiohttp.TCPConnector(
                    resolver=resolver, use_dns_cache=False, force_close=True, limit=32
                ),
                timeout=aiohttp.ClientTimeout(total=context.timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=_READ_BUFFER,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def message_id(key: str) -> str:
    """Return an idempotency key in the characters that a header and a signature can carry.

    A full stop separates the parts of what is signed, so it is escaped like all that is not
    printable ASCII.
    """
    return quote(key, safe="/:@+=,;~-_").replace(".", "%2E")


def cloud_event(message: Message, source: str) -> bytes:
    """Return the body: a CloudEvent whose data is the Alert record, or what there is in its place.

    The extension attributes `headline`, `summary` and `disclaimer` are for receivers that show
    the message to people as it is. The same arguments give the same bytes.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": EVENT_TYPES[message.kind],
        "source": source,
        "id": message_id(message.id),
        "time": message.at,
        "datacontenttype": "application/json",
        "disclaimer": DISCLAIMER,
    }
    if message.kind in ("alert", "test") and message.alerts:
        alert = message.alerts[0]
        event |= {"subject": alert.unit, "headline": headline(alert), "summary": summary(alert)}
        event["data"] = alert
    elif message.kind == "digest":
        told = [
            {"headline": headline(each), "summary": summary(each), "alert": each}
            for each in message.alerts
        ]
        event |= {"headline": f"{len(told)} alerts", "data": {"alerts": told}}
    else:
        event |= {"headline": message.text, "data": {message.kind: message.text}}
    return msgspec.json.encode(event)


class _UnusableSecret(Exception):
    """The signing secret is missing or malformed."""


def _signed(secret: str | None, key: str, now: datetime, body: bytes) -> dict[str, str]:
    if not secret or not secret.split():
        raise _UnusableSecret("the subscription has no signing secret")
    now = now.astimezone(UTC)
    text = body.decode()
    try:
        signatures = [Webhook(each).sign(key, now, text) for each in secret.split()]
    except (binascii.Error, ValueError, EmptyWebhookSecretError):
        # Without the cause: it could carry the secret into a log.
        raise _UnusableSecret("the signing secret is not whsec_ and base64") from None
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": "tocsin-webhook/1",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _proved(reply: bytes, challenge: str) -> Answer:
    """Return whether who answered knows what it was asked: so the address wants alerts."""
    if challenge.encode() in reply:
        return Delivered()
    return Rejected("the answer does not repeat the challenge")


def _answer(status: int, wait: float) -> Answer:
    if 200 <= status < 300:
        return Delivered()
    if status in _RETRY_STATUSES or 500 <= status < 600:
        return Retry(wait, f"HTTP {status}")
    if status == 410:
        return Rejected("HTTP 410: the receiver wants no more")
    if 300 <= status < 400:
        return Rejected(f"HTTP {status}: redirects are not followed")
    return Rejected(f"HTTP {status}")


def retry_after(header: str | None, now: datetime) -> float:
    """Return the seconds a `Retry-After` header asks for (RFC 9110, 10.2.3), a day at most.

    A missing or malformed header, or a date that has passed, is 0.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
    >>> retry_after("120", now), retry_after("Thu, 01 Jan 2026 00:01:00 GMT", now)
    (120.0, 60.0)
    >>> retry_after("soon", now), retry_after(None, now), retry_after("-5", now)
    (0.0, 0.0, 0.0)
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), _LONGEST_WAIT_SECONDS)
