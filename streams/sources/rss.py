"""RSS and Atom feeds, read with feedparser from bytes that were fetched politely.

An item is known by its guid (or link, or title) and by its content: an edited article is a new
report. A date that the feed does not give in full stays unknown.
"""

from __future__ import annotations

import asyncio
import calendar
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax import SAXException

import feedparser

from detectors.coding.markup import plain
from detectors.records import Report
from streams.sources.base import (
    RAW_LIMIT,
    Reject,
    RowError,
    SourceError,
    clip,
    stable_id,
    validated,
)
from streams.sources.config import Runtime, SourceConfig
from streams.sources.fetch import Fetched, Validators
from streams.sources.polling import Found, PollingSource, Position

#: A time of day and a zone whose offset is beyond doubt; else the moment is not known.
_FULL_TIME: Final = re.compile(
    r"\d{1,2}:\d{2}.*?(Z|[+-]\d{2}:?\d{2}|\b(?:UTC?|GMT|[ECMP][SD]T))\s*$", re.IGNORECASE
)
_LONGEST_TIME: Final = 100  # characters
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

Entry = dict[str, Any]


class RssSource(PollingSource):
    """One RSS or Atom feed."""

    def __init__(self, config: SourceConfig, runtime: Runtime) -> None:
        """Check that the configuration names a feed.

        Raises:
            SourceConfigError: `url` is missing, or a key means nothing to a feed.
        """
        config.require("url")
        super().__init__(config, runtime)
        self._url = config.url or ""
        self._is_well = True

    async def _find(self, position: Position) -> Found:
        # After any failure the body itself is asked for: a 304 may not clear a failure.
        known = Validators.from_position(position, self._url) if self._is_well else None
        self._is_well = False
        fetched = await self._runtime.fetcher.get(self._url, known)
        if fetched.status == "unchanged":
            found = Found((), position, is_unchanged=True)
        else:
            seen_at = self._runtime.clock()
            items = await asyncio.to_thread(parse, fetched, self._config, seen_at)
            found = Found(items, fetched.validators.to_position(self._url))
        self._is_well = True
        return found


def parse(fetched: Fetched, config: SourceConfig, seen_at: datetime) -> list[Report | Reject]:
    """Read a fetched feed; a valid feed without items gives an empty list.

    Args:
        fetched: A fresh answer.
        config: Names the source, and its publisher and language where known.
        seen_at: Stamped on every report.

    Returns:
        Reports and rejects in the order of the feed. XML that breaks off after some items adds
        one `broken_xml` reject for the whole.

    Raises:
        SourceError: The body is no feed (`not_a_feed`), or breaks before the first item
            (`broken_feed`).
    """
    headers = {"content-type": fetched.content_type or "", "content-location": fetched.url}
    try:
        feed = feedparser.parse(
            io.BytesIO(fetched.body),
            response_headers=headers,
            # Both read markup in time that grows with its square, and `text_of` drops it anyway.
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # whatever the parser trips over, the feed cannot be read
        raise SourceError("broken_feed", detail=repr(error)) from error
    fault = feed.get("bozo_exception") if feed.get("bozo") else None
    if not feed.entries and isinstance(fault, SAXException):
        raise SourceError("broken_feed" if feed.get("version") else "not_a_feed", detail=str(fault))
    if not feed.get("version"):
        raise SourceError("not_a_feed", detail=f"{fetched.content_type} at {fetched.url}")
    language = config.language or _language(feed.feed.get("language"))
    items = list(_items(feed.entries, config, language, seen_at))
    if isinstance(fault, SAXException):
        items.append(Reject(fetched.body[:RAW_LIMIT], "broken_xml", str(fault)))
    return items


def _items(
    entries: list[Entry], config: SourceConfig, language: str | None, seen_at: datetime
) -> Iterator[Report | Reject]:
    for entry in entries:
        try:
            yield _report(entry, config, language, seen_at)
        except RowError as error:
            yield Reject(_raw(entry), error.reason, error.detail)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            yield Reject(_raw(entry), "broken_item", repr(error))


def _report(entry: Entry, config: SourceConfig, language: str | None, seen_at: datetime) -> Report:
    title = clip(" ".join(_plain(entry.get("title_detail")).split()), "title")
    text = clip(_body(entry), "text")
    if not title and not text:
        raise RowError("empty_item", "neither a title nor a text")
    link = str(entry.get("link") or "")
    url = link if link.startswith(("http://", "https://")) else None
    outlet = clip(str((entry.get("source") or {}).get("title") or ""), "title")[:200]
    guid = str(entry.get("id") or link or title)
    return validated(
        Report(
            id=stable_id(config.name, guid, title, " ".join(text.split())),
            source=config.name,
            seen_at=seen_at,
            title=title,
            text=text,
            publisher=outlet or config.publisher,
            url=url,
            published_at=_published(entry),
            language=language,
        )
    )


def _body(entry: Entry) -> str:
    """Return the longest of the texts that an item carries: some feeds repeat a teaser."""
    parts = [*entry.get("content", ()), entry.get("summary_detail")]
    return max((_plain(part) for part in parts), key=len, default="")


def _plain(detail: Entry | None) -> str:
    if not detail:
        return ""
    value = str(detail.get("value") or "")
    return value if detail.get("type") == "text/plain" else text_of(value)


def _published(entry: Entry) -> datetime | None:
    """Return what the outlet claims, if it claims a moment: a day alone is not one."""
    for name in ("published", "updated"):
        # Past feedparser's own look-up, which answers for a missing date with another one.
        stated, parsed = dict.get(entry, name), dict.get(entry, f"{name}_parsed")
        if stated and parsed and _FULL_TIME.search(str(stated)[:_LONGEST_TIME]):
            try:
                return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
            except (ValueError, OverflowError, OSError):
                continue
    return None


def _language(stated: object) -> str | None:
    text = str(stated or "").strip().replace("_", "-")
    return text if _LANGUAGE.fullmatch(text) else None


def _raw(entry: Entry) -> bytes:
    return json.dumps(entry, default=str, sort_keys=True).encode("ascii")[:RAW_LIMIT]


def text_of(html: str) -> str:
    r"""Return the readable text of a piece of HTML, one line for each block.

    >>> text_of("<p>One&nbsp;two</p><script>x()</script><p>three <b>four</b></p>")
    'One two\nthree four'
    """
    lines = (" ".join(line.split()) for line in plain(html, between="\n").split("\n"))
    return "\n".join(line for line in lines if line)
