"""Mails sent through the sink to a real server, for its tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.secrets import challenge_text
from streams.settings import Smtp
from streams.sinks import Answer, Delivered, Message, SinkContext, of_alert
from streams.sinks.email import EmailSink
from streams.unsubscribe import unsubscribe_url
from tests.alert_records import alert, subscription
from tests.mail_server import (
    mail_server,
)

KEY = "an installation key of 32 or more characters"
NOW = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
DESK = subscription("email", "desk+alerts@example.org")
SEVERAL = (
    alert(1, 1),
    alert(2, 0, unit="AF-HEL", severity="critical"),
    alert(3, 2, unit="PK-KP", state="resolved", severity="watch", evidence=()),
)
DAILY = (*(n % 4 for n in range(48)), 2, 3, 4, 2, 5, 4, 3)
CHARTED = {"daily": DAILY, "series_end": date(2026, 3, 2)}


def smtp(port: int, **changes: Any) -> Smtp:
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "alerts@tocsin.example",
        "reply_to": "people@tocsin.example",
        "public_url": "https://tocsin.example",
    }
    return Smtp(**(usual | changes))


def context(mail: Smtp | None, **changes: Any) -> SinkContext:
    usual: dict[str, Any] = {
        "source": "https://tocsin.example/",
        "now": lambda: NOW,
        "alerts_for": lambda _: [],
        "feeds": Path("unused"),
        "console_url": "https://console.example/",
        "smtp": mail,
        "unsubscribe_url": lambda id: unsubscribe_url("https://tocsin.example", KEY, id),
        "timeout_seconds": 10.0,
    }
    return SinkContext(**(usual | changes))


async def send(
    port: int,
    message: Message | None = None,
    to: Subscription = DESK,
    mail: dict[str, Any] | None = None,
    **changes: Any,
) -> Answer:
    sink = EmailSink(context(smtp(port, **mail or {}), **changes))
    try:
        return await sink.send(message or of_alert(alert(1, 1), to), to, None)
    finally:
        await sink.close()


async def got(message: Message, to: Subscription = DESK, **changes: Any) -> EmailMessage:
    """Send one message, and return the mail that came; a slow machine gets its time for charts."""
    async with mail_server() as server:
        changes = {"timeout_seconds": 120.0} | changes
        assert await send(server.port, message, to, **changes) == Delivered()
        (mail,) = server.mails()
        return mail


def texts(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def message(kind: Any, *alerts: Alert, text: str = "") -> Message:
    return Message(f"{kind}/1", kind, NOW, alerts, text)


ONE_OF_EACH = {
    "alert": of_alert(alert(1, 1, note="seen by the desk"), DESK),
    "digest": message("digest", *SEVERAL),
    "test": message("test", alert(1)),
    "challenge": message("challenge", text=challenge_text(KEY, "desk", 1)),
    "notice": message("notice", text="Paused: nothing got through for a day. Mend the channel."),
}


def picture_of(mail: EmailMessage) -> EmailMessage:
    (picture,) = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    return picture
