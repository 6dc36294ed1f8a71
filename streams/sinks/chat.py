"""Chat rooms, through Apprise: Slack, Matrix, Telegram, Teams, Signal, ntfy, Zulip and others.

A subscription's address is the name of a chat that the operator has set: an Apprise URL holds
credentials and can reach anywhere, so none is ever taken from a subscriber. Apprise is synchronous,
reads replies whole, and takes proxies and passwords from its environment. So each message is sent
by a process of its own (`chat_child.py`), with a limit of time and memory and next to no
environment: what hangs is ended, and what Apprise logs reaches no log of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, ClassVar, Final

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.sinks.base import Answer, Delivered, Message, Rejected, Retry, SinkContext
from streams.sinks.links import page_of
from streams.sinks.replies import answer_of_status
from streams.wording import DISCLAIMER, digest_subject, headline, summary

_CHILD: Final = Path(__file__).with_name("chat_child.py")
#: No proxy, no password file, no hook of Python's.
_ENVIRONMENT: Final = {"HOME": "/nonexistent", "LANG": "C.UTF-8"}
#: Messages sent at one time: each takes a process of some 60 MB.
_AT_ONCE: Final = 4


class ChatSink:
    """Posts each message to the chat of a subscription."""

    name: ClassVar[str] = "chat"

    def __init__(self, context: SinkContext) -> None:
        self._context = context
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Post one message to a chat.

        Args:
            message: What to send. A challenge is not posted: the operator has vouched for the chat.
            subscription: Its `address` is the name of a chat in the settings.
            secret: Not used.

        Returns:
            Delivered where the service took the message. Rejected where there is no such chat, its
            URL makes no sense, or the service logged a final refusal (4xx other than 408, 425,
            429). Retry in all other cases; of several rooms in one URL those that have the
            message get it again.
        """
        url = self._context.chats.get(subscription.address)
        if url is None:
            return Rejected("no chat of this name is set")
        if message.kind == "challenge":
            return Delivered()
        title, body = words(message, self._context.console_url)
        seconds = self._context.timeout_seconds
        try:
            async with asyncio.timeout(seconds), self._places:
                return _answer(
                    await _run({"url": url, "title": title, "body": body, "seconds": seconds})
                )
        except TimeoutError:
            return Retry(0.0, f"the chat did not take it within {seconds:g} s")
        except OSError as error:
            return Retry(0.0, f"the sender could not be started: {error.strerror}")

    async def close(self) -> None:
        """Hold nothing that needs release."""


def words(message: Message, console_url: str | None) -> tuple[str, str]:
    """Return the title and the body of a message, in plain text."""
    if message.kind == "digest":
        title = digest_subject(message.alerts)
        told = [f"{headline(each)}\n{_told(each, console_url)}" for each in message.alerts]
    elif not message.alerts:
        return "Tocsin", message.text or DISCLAIMER
    else:
        first = message.alerts[0]
        title, told = headline(first), [_told(first, console_url)]
    note = [message.text] if message.text else []
    return title, "\n\n".join([*note, *told, DISCLAIMER])


def _told(alert: Alert, console_url: str | None) -> str:
    page = page_of(alert.id, console_url)
    return f"{summary(alert)}\n{page}" if page else summary(alert)


async def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Have one message sent, and return what became of it; `{}` where the process died."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_CHILD),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT,
    )
    try:
        # By standard input: arguments are for everybody on the machine to see.
        said, _ = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return json.loads(said) if process.returncode == 0 else {}


def _answer(said: dict[str, Any]) -> Answer:
    if said.get("state") == "delivered":
        return Delivered()
    if said.get("state") == "unreadable":
        return Rejected("Apprise cannot make sense of the chat's URL")
    status = said.get("status")
    if status and not 200 <= status < 300:
        return answer_of_status(status)
    return Retry(0.0, "the chat did not take it" if said else "the sender broke down")
