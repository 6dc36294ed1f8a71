"""Atom feeds (RFC 4287): every alert once, as it stands now.

`render` is the one writer, for the sink and for the console. The same alerts give the same bytes
in whatever order they come, so the content's hash is a sound ETag.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

from lxml import etree

from detectors.records import Alert, Subscription
from detectors.world.units import name_of
from streams.sinks.base import Answer, Delivered, Message, Rejected, Retry, SinkContext
from streams.wording import DISCLAIMER, details, headline, summary

ATOM: Final = "http://www.w3.org/2005/Atom"
CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
#: The most entries a feed holds: the ones changed last.
MOST_ENTRIES: Final = 200
#: What XML 1.0 cannot carry.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FEED_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
#: How long to wait for the store to catch up with an alert that is to be in the feed.
_STORE_LAG_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class FeedInfo:
    """What a feed says of itself."""

    #: The installation as a URI; ids and category schemes are made from it, so it must not change.
    source: str
    #: The feed's name within the installation.
    name: str
    title: str = "Tocsin alerts"
    #: Where the feed is served, if it is.
    self_url: str | None = None
    #: The console's address, for a link to each alert at `<console>/alerts/<id>`.
    console_url: str | None = None
    #: The feed's `updated` while it has no entry.
    empty_since: datetime | None = None


def render(alerts: Iterable[Alert], feed: FeedInfo) -> bytes:
    """Write alerts as an Atom document in UTF-8, the ones changed last first.

    Of several revisions of one alert the last is shown. `updated` is that revision's time, for
    an entry, and the newest entry's, for the feed.

    Raises:
        ValueError: There is no alert and `feed.empty_since` is None: Atom wants a time, and none
            may be invented.
    """
    latest: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in latest or latest[alert.id].revision < alert.revision:
            latest[alert.id] = alert
    shown = sorted(latest.values(), key=lambda each: each.id)
    shown = sorted(shown, key=lambda each: each.at, reverse=True)[:MOST_ENTRIES]
    updated = shown[0].at if shown else feed.empty_since
    if updated is None:
        raise ValueError("a feed without alerts needs `empty_since`")

    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    _add(root, "id", _urn(feed.source, "feed", feed.name))
    _add(root, "title", feed.title)
    _add(root, "subtitle", DISCLAIMER)
    _add(root, "updated", _rfc3339(updated))
    _add(_add(root, "author"), "name", "Tocsin")
    if feed.self_url:
        _add(root, "link", rel="self", type="application/atom+xml", href=feed.self_url)
    for alert in shown:
        _entry(root, alert, feed)
    document: bytes = etree.tostring(
        root, xml_declaration=True, encoding="utf-8", pretty_print=True
    )
    return document


def etag(document: bytes) -> str:
    """Return the strong ETag of a rendered feed, quotes included."""
    return f'"{hashlib.sha256(document).hexdigest()[:32]}"'


class AtomSink:
    """Keeps one feed file for each subscription: `<feeds>/<address>.atom`.

    The file is rendered from the store, under a lock that other processes on the host respect,
    and replaced whole. An alert counts as delivered once the file that holds its revision, or a
    later one, is in place; while the store has not caught up with it, the answer is Retry.
    """

    name: ClassVar[str] = "atom"

    def __init__(self, context: SinkContext) -> None:
        self._context = context

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Render the subscription's feed anew. `address` is its name; `secret` is not used."""
        if not _FEED_NAME.fullmatch(subscription.address):
            return Rejected("a feed's name is 1 to 64 of a-z, 0-9 and hyphen")
        try:
            return await asyncio.to_thread(self._write, message, subscription)
        except OSError as error:
            return Retry(0.0, f"the feed could not be written: {error.strerror}")

    async def close(self) -> None:
        """Hold nothing that needs release."""

    def _write(self, message: Message, subscription: Subscription) -> Answer:
        folder = self._context.feeds
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{subscription.address}.atom"
        with (folder / f".{subscription.address}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Read only under the lock, or a slower writer could put back an older state.
            alerts = self._context.alerts_for(subscription)
            known = {alert.id: alert.revision for alert in alerts}
            if any(known.get(alert.id, -1) < alert.revision for alert in _awaited(message)):
                return Retry(_STORE_LAG_SECONDS, "the store has not this revision yet")
            info = FeedInfo(
                source=self._context.source,
                name=subscription.address,
                title=f"Tocsin alerts: {subscription.address}",
                console_url=self._context.console_url,
            )
            _replace(path, render(alerts, info))
        return Delivered()


def _awaited(message: Message) -> tuple[Alert, ...]:
    """Return the alerts that the feed has to hold; the one of a test is made up."""
    return message.alerts if message.kind in ("alert", "digest") else ()


def _replace(path: Path, document: bytes) -> None:
    """Write a file such that a reader sees the old bytes or the new, never a part."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _entry(root: etree._Element, alert: Alert, feed: FeedInfo) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", _urn(feed.source, "alert", alert.id))
    _add(entry, "title", headline(alert))
    _add(entry, "published", _rfc3339(alert.opened_at))
    _add(entry, "updated", _rfc3339(alert.at))
    if feed.console_url:
        page = f"{feed.console_url.rstrip('/')}/alerts/{quote(alert.id, safe='')}"
        _add(entry, "link", rel="alternate", type="text/html", href=page)
    terms = {
        "unit": (alert.unit, name_of(alert.unit)),
        "signal": (alert.signal, alert.signal),
        "severity": (alert.severity, alert.severity),
        "state": (alert.state, alert.state),
    }
    for scheme, (term, label) in terms.items():
        _add(entry, "category", term=term, scheme=f"{feed.source}#{scheme}", label=label)
    _add(entry, "summary", summary(alert), type="text")
    _add(entry, "content", details(alert), type="text")


def _add(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str
) -> etree._Element:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    for key, value in attributes.items():
        child.set(key, _xml(value))
    if text is not None:
        child.text = _xml(text)
    return child


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _urn(source: str, kind: str, name: str) -> str:
    """Return an id that is the same for ever: a version 5 UUID under the installation's URI."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{source}#{kind}/{name}").urn


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
