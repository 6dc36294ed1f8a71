"""What a mail says, before it is text, HTML or headers; and the text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.sinks.base import Message
from streams.sinks.links import page_of
from streams.wording import DISCLAIMER, digest_subject, headline, incidents, paragraphs, subject

if TYPE_CHECKING:
    from streams.sinks.mail_chart import Chart

_WIDTH: Final = 76
#: Of a digest, so many alerts are told in full: some mail programs cut off what is longer.
MOST_TOLD: Final = 30
_LONGEST_SUBJECT: Final = 200
#: What is in no text: control characters, and halves of characters, which no encoding carries.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

TEST_WORDS: Final = "This mail was asked for to see whether alerts arrive."
MADE_UP: Final = "It is a test: the alert below is made up."
CHALLENGE_WORDS: Final = (
    "Somebody, most likely you, asked for alerts of Tocsin, an early-warning monitor, to be sent "
    "to this address. To get them, open the link and confirm. If you did not ask for them, do "
    "nothing: no alerts will be sent."
)


class Links(Struct, frozen=True):
    """The addresses that a mail points to; None for what cannot be reached from outside."""

    console: str | None = None
    unsubscribe: str | None = None
    confirm: str | None = None
    reply_to: str | None = None


class Story(Struct, frozen=True):
    """One alert as it is told."""

    headline: str
    paragraphs: list[str]
    incidents: list[str]
    page: str | None
    chart: Chart | None


class Letter(Struct, frozen=True):
    """A mail's content, in the order in which it is read."""

    subject: str
    opening: list[str]
    confirm: str | None  # the link that the whole mail is about
    contents: list[str]  # one line for each alert of a digest, numbered
    stories: list[Story]
    disclaimer: str
    footer: list[str]
    unsubscribe: str | None


def letter(
    message: Message, subscription: Subscription, links: Links, charts: Mapping[str, Chart]
) -> Letter:
    """Put a message into words.

    Args:
        message: What to tell.
        subscription: Whom it goes to.
        links: What to point to.
        charts: Pictures by the id of the alert, as far as there are any.
    """
    console = links.console if message.kind != "test" else None  # what is made up has no page
    return Letter(
        subject=one_line(_subject(message, subscription))[:_LONGEST_SUBJECT].strip(),
        opening=_opening(message),
        confirm=links.confirm if message.kind == "challenge" else None,
        contents=[headline(each) for each in message.alerts] if message.kind == "digest" else [],
        stories=[_story(each, console, charts) for each in message.alerts[:MOST_TOLD]],
        disclaimer=DISCLAIMER if message.alerts else "",
        footer=_footer(message, subscription, links),
        unsubscribe=links.unsubscribe,
    )


def plain(letter: Letter) -> str:
    """Return the text of a mail: lines of at most 76 characters, but for links."""
    blocks = [_wrapped(each) for each in letter.opening]
    blocks += [letter.confirm] if letter.confirm else []
    if letter.contents:
        lines = [_item(f"{i}.", each) for i, each in enumerate(letter.contents, start=1)]
        blocks.append("\n".join(lines))
    for i, story in enumerate(letter.stories, start=1):
        number = f"{i}. " if letter.contents else ""
        blocks.append(_wrapped(f"{number}{story.headline}"))
        blocks += [_wrapped(each) for each in story.paragraphs]
        if story.incidents:
            blocks.append("\n".join(_item("-", each) for each in story.incidents))
        blocks += [story.page] if story.page else []
    blocks += [_wrapped(letter.disclaimer)] if letter.disclaimer else []
    end = [_wrapped(each) for each in letter.footer]
    end += [f"No more of these mails:\n{letter.unsubscribe}"] if letter.unsubscribe else []
    blocks.append("\n".join(["-- ", *end]))  # the mark after which a signature begins
    return printable("\n\n".join(blocks) + "\n")


def one_line(text: str) -> str:
    """Return a text that fits into one header: without line breaks and control characters.

    "=?" would begin an encoded word (RFC 2047). Python up to 3.11.9 decodes one in a header's value
    and writes the line break that it stands for (CVE-2024-6923), so the two are parted.
    """
    return " ".join(_UNPRINTABLE.sub(" ", text).split()).replace("=?", "= ?")


def printable(text: str) -> str:
    """Return a text without characters that a mail cannot carry; line breaks and tabs stay."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def _subject(message: Message, subscription: Subscription) -> str:
    if message.kind == "digest":
        return digest_subject(message.alerts)
    if message.kind == "challenge":
        return "Confirm: alerts for this address?"
    if message.kind == "notice":
        return f"Notice about the subscription {subscription.id}"
    about = subject(message.alerts[0]) if message.alerts else "alerts will arrive here"
    return about if message.kind == "alert" else f"Test: {about}"


def _opening(message: Message) -> list[str]:
    if message.kind == "challenge":
        return [CHALLENGE_WORDS]
    if message.kind == "test":
        return [message.text or TEST_WORDS, *([MADE_UP] if message.alerts else [])]
    told = [message.text] if message.text else []
    left_out = len(message.alerts) - MOST_TOLD
    if left_out > 0:
        told.append(f"The first {MOST_TOLD} are told in full, the other {left_out} only listed.")
    return told


def _story(alert: Alert, console: str | None, charts: Mapping[str, Chart]) -> Story:
    page = page_of(alert.id, console)
    return Story(headline(alert), paragraphs(alert), incidents(alert), page, charts.get(alert.id))


def _footer(message: Message, subscription: Subscription, links: Links) -> list[str]:
    replies = "Replies are read." if links.reply_to else "Replies are not read."
    if message.kind == "challenge":
        return [replies]
    if links.reply_to and not links.unsubscribe:
        replies = "Replies are read: say there if you want no more of these mails."
    return [f"This mail is for the subscription {subscription.id}. {replies}"]


def _wrapped(text: str) -> str:
    return "\n".join(_fill(line) for line in text.splitlines())


def _item(mark: str, text: str) -> str:
    return _fill(f"{mark} {text}", " " * (len(mark) + 1))


def _fill(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
