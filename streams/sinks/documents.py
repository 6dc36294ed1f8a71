"""Documents that show how things stand: one file for each subscription, rendered from the store.

What the formats share is here: what a document says of itself, which alerts it holds and where
their claims end, and the sink that puts a rendered document in place. A format is a `Format` in a
file of its own; it renders, and knows nothing of files, locks or the store.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from detectors.delivery_records import Subscription
from detectors.records import Alert
from detectors.timegrid import DAY, LOCAL_OFFSET, day_number, instant
from detectors.world.units import UNITS
from streams.served import Document
from streams.sinks.base import (
    Answer,
    CapStatus,
    Delivered,
    Message,
    Rejected,
    Retry,
    SinkContext,
)

#: The most alerts a document holds: the ones changed last.
MOST_ALERTS: Final = 200
#: The most parts that are written at a time: some 5 ms each, so that a delivery ends in time.
MOST_PARTS: Final = 200
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
#: How long to wait for the store to catch up with an alert that is to be in the document.
_STORE_LAG_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class DocumentInfo:
    """What a document says of itself, and what a format may ask for beyond the alerts."""

    #: The installation as a URI; ids and category schemes are made from it, so it must not change.
    source: str
    #: The document's name within the installation.
    name: str
    title: str = "Tocsin alerts"
    #: Where the document is served, if it is.
    self_url: str | None = None
    #: The console's address, for a link to each alert at `<console>/alerts/<id>`.
    console_url: str | None = None
    #: When the document was last changed, while it holds no alert.
    empty_since: datetime | None = None
    #: All revisions of an alert that are known, by its id (`Store.revisions`).
    revisions: Callable[[str], Sequence[Alert]] = lambda _: ()
    #: What CAP messages are good for.
    cap_status: CapStatus = "Exercise"


class Part(NamedTuple):
    """A file that belongs to a document and lies in a folder beside it. It is never rewritten."""

    name: str
    render: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a document is written: the same alerts give the same bytes, in whatever order."""

    #: Of the file `<name>.<extension>`.
    extension: str
    content_type: str
    render: Callable[[Iterable[Alert], DocumentInfo], bytes]
    #: The files in the folder `<name>.<parts_folder>`, where a document has any.
    parts: Callable[[Iterable[Alert], DocumentInfo], Iterator[Part]] = lambda *_: iter(())
    parts_folder: str = ""
    parts_name: str = ""  # a regular expression of their names
    parts_type: str = ""  # their content type


class DocumentSink:
    """Keeps one file for each subscription, `<feeds>/<address>.<extension>`.

    The document is rendered from the store, under a lock that other processes on the host respect,
    and replaced whole. An alert counts as delivered once the file that holds its revision, or a
    later one, is in place; while the store has not caught up with it, the answer is Retry.
    """

    name: ClassVar[str]
    form: ClassVar[Format]

    def __init__(self, context: SinkContext) -> None:
        self._context = context

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Write the subscription's document anew. `address` is its name; `secret` is not used."""
        if not _NAME.fullmatch(subscription.address):
            return Rejected("a document's name is 1 to 64 of a-z, 0-9 and hyphen")
        try:
            return await asyncio.to_thread(self._write, message, subscription)
        except OSError as error:
            return Retry(0.0, f"the document could not be written: {error.strerror}")

    async def close(self) -> None:
        """Hold nothing that needs release."""

    def _write(self, message: Message, subscription: Subscription) -> Answer:
        folder, name, form = self._context.feeds, subscription.address, self.form
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f".lock.{name}.{form.extension}").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Read only under the lock, or a slower writer could put back an older state.
            alerts = self._context.alerts_for(subscription)
            known = {alert.id: alert.revision for alert in alerts}
            if any(known.get(alert.id, -1) < alert.revision for alert in _awaited(message)):
                return Retry(_STORE_LAG_SECONDS, "the store has not this revision yet")
            info = self._info(message, name)
            # A reader of the document must find its parts, so they come first and go last.
            parts = folder / f"{name}.{form.parts_folder}"
            wanted = _add_parts(parts, form.parts(alerts, info))
            if wanted is None:
                return Retry(0.0, "not all parts of the document are written yet")
            _replace(folder / f"{name}.{form.extension}", form.render(alerts, info))
            if form.parts_folder:
                _remove_others(parts, wanted)
        return Delivered()

    def _info(self, message: Message, name: str) -> DocumentInfo:
        context = self._context
        return DocumentInfo(
            source=context.source,
            name=name,
            title=f"Tocsin alerts: {name}",
            console_url=context.console_url,
            empty_since=message.at,
            revisions=context.revisions,
            cap_status=context.cap_status,
        )


def read(
    folder: Path,
    sinks: Iterable[type[DocumentSink]],
    subscriptions: Iterable[Subscription],
    path: str,
) -> Document | None:
    """Return a subscription's document, or a part of it, by its path below the folder.

    Args:
        folder: Where the sinks write (`SinkContext.feeds`).
        sinks: Those that keep documents.
        subscriptions: All there are. What one left behind that is no more is not served.
        path: As a reader asks for it, such as "kabul.atom"; it is not trusted.

    Returns:
        None where there is no such document, or the path is not one of a document.
    """
    found = _found(sinks, path)
    if found is None or found[:2] not in {(each.sink, each.address) for each in subscriptions}:
        return None
    inside = folder.resolve()
    try:
        file = (inside / path).resolve(strict=True)
        # The path is known to keep to the folder; a link that somebody put there may not.
        if not file.is_relative_to(inside) or not file.is_file():
            return None
        with file.open("rb") as opened:
            modified = datetime.fromtimestamp(os.fstat(opened.fileno()).st_mtime, UTC)
            return Document(opened.read(), found[2], modified)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _found(sinks: Iterable[type[DocumentSink]], path: str) -> tuple[str, str, str] | None:
    """Return the sink, the document's name and the content type that a path stands for."""
    name, _, rest = path.partition(".")
    if not _NAME.fullmatch(name):
        return None
    for sink in sinks:
        form = sink.form
        if rest == form.extension:
            return sink.name, name, form.content_type
        folder, _, part = rest.partition("/")
        if (
            form.parts_folder
            and folder == form.parts_folder
            and re.fullmatch(form.parts_name, part)
        ):
            return sink.name, name, form.parts_type
    return None


# What formats share


def latest(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the last revision of each alert, the ones changed last first, `MOST_ALERTS` at most.

    The order does not depend on the one in which they come.
    """
    found: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in found or found[alert.id].revision < alert.revision:
            found[alert.id] = alert
    shown = sorted(found.values(), key=lambda each: each.id)
    return sorted(shown, key=lambda each: each.at, reverse=True)[:MOST_ALERTS]


def uuid_of(info: DocumentInfo, kind: str, name: str) -> uuid.UUID:
    """Return an id that is the same for ever: a version 5 UUID under the installation's URI."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{info.source}#{kind}/{name}")


def areas_of(unit: str) -> tuple[str, ...]:
    """Return the areas that a unit consists of or lies between, by their ISO codes.

    These are ISO 3166-2 for a province, ISO 3166-1 alpha-3 for a state. A group is no place, and
    what could not be placed has none.

    >>> areas_of("AF-KAN"), areas_of("AF-NAN~PK-KP"), areas_of("IND~PAK")
    (('AF-KAN',), ('AF-NAN', 'PK-KP'), ('IND', 'PAK'))
    >>> areas_of("ttp"), areas_of("unplaced")
    ((), ())
    """
    known = UNITS.get(unit)
    if known is None or known.kind == "actor":
        return ()
    return tuple(known.code.split("~"))


def horizon_end(alert: Alert) -> datetime:
    """Return when the days of the alert's claim are over, by local time where it is settled."""
    rule = alert.claim.resolver
    known = UNITS.get(rule.unit)
    offset = LOCAL_OFFSET.get(known.country, 0) if known else 0
    return instant((day_number(rule.last_day) + 1) * DAY - offset)


# Files


def _awaited(message: Message) -> tuple[Alert, ...]:
    """Return the alerts that the document has to hold; the one of a test is made up."""
    return message.alerts if message.kind in ("alert", "digest") else ()


def _add_parts(folder: Path, parts: Iterator[Part]) -> set[str] | None:
    """Write the parts that are not there yet, and return the names of all; None: there are more."""
    names, written = set(), 0
    for part in parts:
        names.add(part.name)
        if not (folder / part.name).exists():
            if written == MOST_PARTS:
                return None
            written += 1
            folder.mkdir(exist_ok=True)
            _replace(folder / part.name, part.render())
    return names


def _remove_others(folder: Path, wanted: set[str]) -> None:
    for file in folder.iterdir() if folder.is_dir() else ():
        if file.name not in wanted:
            file.unlink(missing_ok=True)


def _replace(path: Path, document: bytes) -> None:
    """Write a file such that a reader sees the old bytes or the new, never a part.

    A document that is the same is left as it is: its time says when it changed.
    """
    if path.is_file() and path.read_bytes() == document:
        return
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
