"""Webhooks: CloudEvents 1.0 in JSON, signed as Standard Webhooks says.

Formats: CloudEvents 1.0.2, HTTP binding in structured mode (cloudevents.io); Standard Webhooks
1.0 (standardwebhooks.com). The receiver's status line is its answer: the body is never read.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar, Final
from urllib.parse import quote

import aiohttp
import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from detectors.records import Alert, Subscription
from streams.sinks.base import (
    Answer,
    Delivered,
    Rejected,
    Retry,
    SinkContext,
    idempotency_key,
)
from streams.sinks.guard import ForbiddenAddress, GuardedResolver, check_url, system_resolve
from streams.wording import DISCLAIMER, headline, summary

EVENT_TYPE: Final = "tocsin.alert.v1"
#: Replies that ask for another try: timeout, too early, too many requests.
_RETRY_STATUSES: Final = frozenset({408, 425, 429})
#: aiohttp stops reading at twice this many bytes: 64 KiB of an unasked reply at most.
_READ_BUFFER: Final = 32 * 1024
_LONGEST_WAIT_SECONDS: Final = 86_400.0


class WebhookSink:
    """Posts each alert revision to the https address of a subscription."""

    name: ClassVar[str] = "webhook"

    def __init__(self, context: SinkContext) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def send(self, alert: Alert, subscription: Subscription, secret: str | None) -> Answer:
        """Post one alert revision, signed with `secret`.

        Args:
            alert: The revision to send.
            subscription: Its `address` is the URL.
            secret: `whsec_` and base64, or several with spaces between while one replaces another.

        Returns:
            Delivered on 2xx. Retry on 408, 425, 429, 5xx, a timeout, or where no connection or
            address was to be had. Rejected on any other reply (a redirect and 410 among them), a
            missing or malformed secret, and an address that may not be contacted.
        """
        try:
            url = check_url(subscription.address, self._context.allowed_hosts)
            body = cloud_event(alert, subscription, self._context.source)
            key = message_id(alert, subscription)
            headers = _signed(secret, key, self._context.now(), body)
            async with self._client().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as reply:
                wait = retry_after(reply.headers.get("Retry-After"), self._context.now())
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


def message_id(alert: Alert, subscription: Subscription) -> str:
    """Return the idempotency key in the characters that a header and a signature can carry.

    A full stop separates the parts of what is signed, so it is escaped like all that is not
    printable ASCII.
    """
    key = quote(idempotency_key(alert, subscription), safe="/:@+=,;~-_")
    return key.replace(".", "%2E")


def cloud_event(alert: Alert, subscription: Subscription, source: str) -> bytes:
    """Return the message body: a CloudEvent whose data is the Alert record.

    The extension attributes `headline`, `summary` and `disclaimer` are for receivers that show
    the message to people as it is. The same arguments give the same bytes.
    """
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "type": EVENT_TYPE,
            "source": source,
            "id": message_id(alert, subscription),
            "subject": alert.unit,
            "time": alert.at,
            "datacontenttype": "application/json",
            "headline": headline(alert),
            "summary": summary(alert),
            "disclaimer": DISCLAIMER,
            "data": alert,
        }
    )


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
