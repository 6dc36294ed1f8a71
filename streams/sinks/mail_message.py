"""The mail as it goes over the wire: headers, and the parts in their order.

Formats: RFC 5322 (mail), RFC 2919 (List-Id), RFC 2369 and RFC 8058 (unsubscribing, with one click),
RFC 3834 (Auto-Submitted), RFC 2387 (HTML with its pictures).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from detectors.delivery_records import Subscription
from streams.mail_address import domain_of
from streams.sinks.base import Message, idempotency_key
from streams.sinks.mail_html import html
from streams.sinks.mail_letter import Letter, one_line, plain

#: ASCII only, so that every server takes it.
_POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=76)
#: A longer link would be folded by Python in a way that breaks it: RFC 5322 allows 998 in a line.
_LONGEST_LINK: Final = 480
_WIRE: Final = _POLICY.clone(max_line_length=998)


class Envelope(Struct, frozen=True):
    """From whom to whom a mail goes, and when."""

    source: str  # the installation, as a URI
    sender: str
    to: str
    at: datetime
    reply_to: str | None = None
    unsubscribe: str | None = None  # the link
    is_list: bool = True  # whether the reader may end what the mail is about


def compose(
    letter: Letter, message: Message, subscription: Subscription, envelope: Envelope
) -> EmailMessage:
    """Return the mail. The same arguments give the same bytes.

    The text comes first, for whoever shows only that; then the HTML, with its charts inside.
    """
    mail = EmailMessage(policy=_POLICY)
    _set_headers(mail, letter, envelope)
    _set_thread(mail, message, subscription, envelope)
    _set_list(mail, subscription, envelope)
    _set_labels(mail, message)
    mail.set_content(plain(letter))
    names = [_picture(message, envelope, i) for i in range(len(letter.stories))]
    shown = [
        name if story.chart else None for name, story in zip(names, letter.stories, strict=True)
    ]
    mail.add_alternative(html(letter, shown), subtype="html")
    _attach(mail, letter, names)
    mail["Content-Language"] = "en"  # last: whatever sets the content drops what is said of it
    return mail


def wire(mail: EmailMessage) -> bytes:
    """Return a mail's bytes, in ASCII, with lines that end as SMTP wants it."""
    return mail.as_bytes(policy=_WIRE)


def _set_headers(mail: EmailMessage, letter: Letter, envelope: Envelope) -> None:
    mail["Subject"] = letter.subject
    mail["From"] = Address("Tocsin", addr_spec=envelope.sender)
    mail["To"] = Address(addr_spec=envelope.to)
    if envelope.reply_to:
        mail["Reply-To"] = Address(addr_spec=envelope.reply_to)
    mail["Date"] = envelope.at
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # Microsoft's servers go by this one


def _set_thread(
    mail: EmailMessage, message: Message, subscription: Subscription, envelope: Envelope
) -> None:
    """Name the mail, and tie it to the first one about its alert: one thread for each alert.

    The first mail's name is known from the alert and the subscription, so nothing has to be kept;
    a thread holds together also where a subscriber came in later.
    """
    mail["Message-ID"] = _message_id(message.id, envelope)
    if message.kind != "alert" or not message.alerts:
        return
    first = idempotency_key(replace(message.alerts[0], revision=0), subscription)
    if first != message.id:
        mail["In-Reply-To"] = _message_id(first, envelope)
        mail["References"] = _message_id(first, envelope)


def _set_list(mail: EmailMessage, subscription: Subscription, envelope: Envelope) -> None:
    mail["List-Id"] = f"Tocsin alerts <tocsin-alerts.{domain_of(envelope.sender)}>"
    if not envelope.is_list:
        return
    ways = [f"<{envelope.unsubscribe}>"] if envelope.unsubscribe else []
    if envelope.reply_to:
        subject = quote(f"unsubscribe {subscription.id}", safe="")
        ways.append(f"<mailto:{quote(envelope.reply_to, safe='@')}?subject={subject}>")
    ways = [each for each in ways if len(each) <= _LONGEST_LINK]
    if ways:
        mail["List-Unsubscribe"] = ", ".join(ways)
    if ways and ways[0].startswith("<https://"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _set_labels(mail: EmailMessage, message: Message) -> None:
    """Say in headers what readers may want their mail programs to sort by."""
    mail["X-Tocsin-Kind"] = message.kind
    if message.kind == "alert" and message.alerts:
        alert = message.alerts[0]
        mail["X-Tocsin-Severity"] = alert.severity
        mail["X-Tocsin-State"] = alert.state
        mail["X-Tocsin-Unit"] = one_line(alert.unit)


def _attach(mail: EmailMessage, letter: Letter, names: list[str]) -> None:
    """Put the charts beside the HTML, and name all boundaries, which are random otherwise."""
    page = mail.get_body(("html",))
    assert isinstance(page, EmailMessage)  # noqa: S101 (tells the type checker)
    for name, story in zip(names, letter.stories, strict=True):
        if story.chart:
            page.add_related(
                story.chart.png,
                "image",
                "png",
                cid=f"<{name}>",
                disposition="inline",
                filename="chart.png",
            )
    seed = str(mail["Message-ID"])
    for i, part in enumerate(each for each in mail.walk() if each.is_multipart()):
        part.set_boundary(f"=_{_hash(f'{i} {seed}')}")


def _picture(message: Message, envelope: Envelope, index: int) -> str:
    return _message_id(f"chart {index} {message.id}", envelope)[1:-1]


def _message_id(key: str, envelope: Envelope) -> str:
    name = _hash(f"{envelope.source} {key}")
    return f"<{name}@{domain_of(envelope.sender)}>"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
