"""Webhooks: CloudEvents 1.0 in JSON, signed as Standard Webhooks says.

Formats: CloudEvents 1.0.2, HTTP binding in structured mode (cloudevents.io); Standard Webhooks
1.0 (standardwebhooks.com). The receiver's status line is its answer; a body is only read, and
only its beginning, where it has to repeat a challenge.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote

import aiohttp
import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from detectors.delivery_records import Subscription
from streams.sinks.base import Answer, Delivered, Message, Rejected
from streams.sinks.guard import ForbiddenAddress, GuardedResolver, check_url, system_resolve
from streams.sinks.replies import TROUBLE, HttpSink, answer_of, answer_of_trouble
from streams.wording import DISCLAIMER, digest_subject, headline, summary

#: CloudEvents type by the kind of message.
EVENT_TYPES: Final = {
    "alert": "tocsin.alert.v1",
    "digest": "tocsin.digest.v1",
    "test": "tocsin.test.v1",
    "challenge": "tocsin.challenge.v1",
    "notice": "tocsin.notice.v1",
}
_LONGEST_PROOF: Final = 4_096  # bytes of the answer to a challenge that are read


#: A connection is kept so long for the next message: less than receivers usually keep it.
_KEPT_SECONDS: Final = 4.0


class WebhookSink(HttpSink):
    """Posts each message to the https address of a subscription."""

    name: ClassVar[str] = "webhook"

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
                answer = answer_of(reply, self._context.now())
                if message.kind == "challenge" and isinstance(answer, Delivered):
                    return await _proved(reply, message.text)
                return answer
        except (ForbiddenAddress, _UnusableSecret) as error:
            return Rejected(str(error))
        except TROUBLE as error:
            return answer_of_trouble(error, self._context.timeout_seconds)

    def _connector(self) -> aiohttp.TCPConnector:
        context = self._context
        resolver = GuardedResolver(context.resolve or system_resolve, context.allowed_hosts)
        # Every connection resolves and checks anew; it serves what follows within seconds.
        return aiohttp.TCPConnector(
            resolver=resolver, use_dns_cache=False, keepalive_timeout=_KEPT_SECONDS, limit=32
        )


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
        event |= {"headline": digest_subject(message.alerts), "data": {"alerts": told}}
    else:
        event["data"] = {message.kind: message.text}
        if message.text:
            event["headline"] = message.text
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
        # Uncompressed: an answer to a challenge is looked through as it comes.
        "accept-encoding": "identity",
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": "tocsin-webhook/1",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _proved(reply: aiohttp.ClientResponse, challenge: str) -> Answer:
    """Return whether who answered knows what it was asked: so the address wants alerts.

    Of the reply no more is read than a challenge needs; it may come in pieces.
    """
    sought, read = challenge.encode(), b""
    while sought and len(read) < _LONGEST_PROOF:
        piece = await reply.content.read(_LONGEST_PROOF - len(read))
        if not piece:
            break
        read += piece
        if sought in read:
            return Delivered()
    return Rejected("the answer does not repeat the challenge")
