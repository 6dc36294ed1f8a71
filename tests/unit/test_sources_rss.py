"""RSS and Atom through a real server: what is new, what is refused, what stays unknown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detectors.records import Report
from streams.sources import Fetcher, FetchLimits, Runtime, Source, SourceError, build
from tests.feed_server import (
    FakeClock,
    FeedServer,
    feed_server,
    gives,
    gives_conditionally,
    rss,
    rss_item,
)

DATE = "Sat, 01 Mar 2025 08:30:00 +0430"


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    clock = FakeClock()
    async with Fetcher(clock, limits=FetchLimits(attempts=1)) as fetcher:
        yield Runtime(clock, fetcher, tmp_path)


def feed(runtime: Runtime, url: str, **extra: Any) -> Source:
    return build({"kind": "rss", "name": "demo", "url": url, **extra}, runtime)


async def one(server: FeedServer, runtime: Runtime, body: str | bytes, **extra: Any) -> Report:
    source = feed(runtime, server.script("/f", gives(body)), **extra)
    (report,) = await source.poll()
    return report


async def stored(source: Source) -> list[str]:
    titles = [report.title for report in await source.poll()]
    await source.commit()
    return titles


async def test_an_item_becomes_a_report(server: FeedServer, runtime: Runtime) -> None:
    item = rss_item("a", "Blast in the market", "Four were &lt;b&gt;hurt&lt;/b&gt;.", DATE)
    report = await one(server, runtime, rss(item), publisher="The Outlet")
    assert report == Report(
        id=report.id,
        source="demo",
        seen_at=runtime.clock(),
        title="Blast in the market",
        text="Four were hurt.",
        publisher="The Outlet",
        url="https://example.org/a",
        published_at=datetime(2025, 3, 1, 4, 0, tzinfo=UTC),
        language="en",
    )


async def test_atom_is_read_too(server: FeedServer, runtime: Runtime) -> None:
    body = """<?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ur"><title>F</title><id>f</id>
    <entry><id>urn:a</id><title>خبر</title><link href="https://example.org/a"/>
    <updated>2025-03-01T10:00:00Z</updated><author><name>Somebody</name></author>
    <source><title>Outlet</title></source>
    <content type="html">&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</content></entry></feed>"""
    report = await one(server, runtime, body)
    assert (report.title, report.text) == ("خبر", "one\ntwo")
    assert report.publisher == "Outlet"
    assert report.published_at == datetime(2025, 3, 1, 10, 0, tzinfo=UTC)
    assert "Somebody" not in repr(report)


async def test_entries_with_the_same_date_are_both_seen(
    server: FeedServer, runtime: Runtime
) -> None:
    first, second = rss_item("a", "One", date=DATE), rss_item("b", "Two", date=DATE)
    source = feed(runtime, server.script("/f", gives(rss(first)), gives(rss(first, second))))
    assert await stored(source) == ["One"]
    assert await stored(source) == ["Two"]


async def test_entries_with_the_same_guid_are_both_seen(
    server: FeedServer, runtime: Runtime
) -> None:
    body = rss(rss_item("a", "One"), rss_item("a", "Two"))
    assert await stored(feed(runtime, server.script("/f", gives(body)))) == ["One", "Two"]


async def test_an_edited_article_is_a_new_report(server: FeedServer, runtime: Runtime) -> None:
    old, new = rss_item("a", "One", "Two dead"), rss_item("a", "One", "Five dead")
    source = feed(runtime, server.script("/f", gives(rss(old)), gives(rss(new))))
    (before,) = await source.poll()
    await source.commit()
    (after,) = await source.poll()
    assert (before.text, after.text) == ("Two dead", "Five dead")
    assert before.id != after.id


@pytest.mark.parametrize(
    "again",
    [
        rss_item("a", "One", "Text", "Sun, 02 Mar 2025 08:00:00 GMT"),
        rss_item("a", "One", "&lt;p class='x'&gt;  Text &lt;/p&gt;", DATE),
    ],
    ids=["only the date", "only the markup"],
)
async def test_what_is_no_edit_is_not_new(server: FeedServer, runtime: Runtime, again: str) -> None:
    first = rss_item("a", "One", "Text", DATE)
    source = feed(runtime, server.script("/f", gives(rss(first)), gives(rss(again))))
    assert await stored(source) == ["One"]
    assert await stored(source) == []


async def test_a_feed_that_shrinks_and_brings_an_item_back_repeats_nothing(
    server: FeedServer, runtime: Runtime
) -> None:
    a, b = rss_item("a", "One"), rss_item("b", "Two")
    full, shrunk = gives(rss(a, b)), gives(rss(a))
    source = feed(runtime, server.script("/f", full, shrunk, gives(rss()), full))
    assert [await stored(source) for _ in range(4)] == [["One", "Two"], [], [], []]


async def test_a_feed_without_items_is_no_fault(server: FeedServer, runtime: Runtime) -> None:
    assert await stored(feed(runtime, server.script("/f", gives(rss())))) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<!doctype html><html><body>Please log in</body></html>", "not_a_feed"),
        ("", "not_a_feed"),
        ('{"items": []}', "not_a_feed"),
        ("<rss version='2.0'><channel><title>cut", "broken_feed"),
        ("\0\1\2\3", "not_a_feed"),
    ],
    ids=["a log-in page", "nothing", "JSON", "XML cut before the first item", "binary"],
)
async def test_what_is_no_feed_is_a_fault(
    server: FeedServer, runtime: Runtime, body: str, reason: str
) -> None:
    source = feed(runtime, server.script("/f", gives(body)))
    with pytest.raises(SourceError) as caught:
        await source.poll()
    assert caught.value.reason == reason


async def test_broken_xml_keeps_its_items_and_is_reported_once(
    server: FeedServer, runtime: Runtime
) -> None:
    body = rss(rss_item("a", "One"), rss_item("b", "Two")).replace("</channel>", "</wrong>")
    source = feed(runtime, server.script("/f", gives(body)))
    assert [report.title for report in await source.poll()] == ["One", "Two"]
    (reject,) = source.rejects
    assert (reject.reason, reject.raw) == ("broken_xml", body.encode())
    await source.commit()
    assert await stored(source) == []
    assert source.rejects == ()


async def test_an_item_without_content_is_refused_and_the_others_kept(
    server: FeedServer, runtime: Runtime
) -> None:
    body = rss(rss_item("a", ""), rss_item("b", "Two"))
    source = feed(runtime, server.script("/f", gives(body)))
    assert [report.title for report in await source.poll()] == ["Two"]
    (reject,) = source.rejects
    assert reject.reason == "empty_item"
    assert b"https://example.org/a" in reject.raw


async def test_an_entity_bomb_does_no_harm(server: FeedServer, runtime: Runtime) -> None:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    body = rss(rss_item("a", "&i;")).replace("<rss", f"<!DOCTYPE rss [{entities}]><rss")
    source = feed(runtime, server.script("/f", gives(body)))
    try:
        reports = await source.poll()
    except SourceError:
        return
    assert all(len(report.title) <= 2_000 for report in reports)


@pytest.mark.parametrize(
    ("stated", "moment"),
    [
        ("Sat, 01 Mar 2025 08:00:00 GMT", datetime(2025, 3, 1, 8, tzinfo=UTC)),
        ("Sat, 01 Mar 2025 13:00:00 +0500", datetime(2025, 3, 1, 8, tzinfo=UTC)),
        ("2025-03-01T08:00:00Z", datetime(2025, 3, 1, 8, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("2025-03-01", None),
        ("2025", None),
        ("2025-03-01 08:00:00", None),
        ("Sat, 01 Mar 2025 08:00:00 PKT", None),
        ("Sat, 31 Feb 2025 99:00:00 GMT", None),
    ],
    ids=[
        "RFC 822 in GMT is a moment",
        "an offset is a moment",
        "W3C is a moment",
        "no date stays unknown",
        "a word stays unknown",
        "a day is no moment",
        "a year is no moment",
        "a time without a zone is no moment",
        "a zone of doubtful meaning is no moment",
        "an impossible date stays unknown",
    ],
)
async def test_no_time_is_invented(
    server: FeedServer, runtime: Runtime, stated: str, moment: datetime | None
) -> None:
    report = await one(server, runtime, rss(rss_item("a", "One", date=stated)))
    assert report.published_at == moment
    assert report.seen_at == runtime.clock()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<script>alert(1)</script>b<style>p{}</style>", "ab"),
        ("one<br/>two &amp; three", "one\ntwo & three"),
        ("<p>open <b>tags", "open tags"),
        ("ولایت&nbsp;کابل", "ولایت کابل"),
        ("می‌شود", "می‌شود"),
    ],
    ids=[
        "blocks are lines",
        "scripts and styles are dropped",
        "entities are undone",
        "unclosed tags are read",
        "a no-break space is a space",
        "a zero-width non-joiner is kept",
    ],
)
async def test_html_becomes_text(
    server: FeedServer, runtime: Runtime, html: str, text: str
) -> None:
    report = await one(server, runtime, rss(rss_item("a", "One", f"<![CDATA[{html}]]>")))
    assert report.text == text


@pytest.mark.parametrize(
    ("declared", "configured", "language"),
    [
        ("ps-AF", None, "ps-AF"),
        ("en-us", "ps", "ps"),
        ("", None, None),
        ("??", None, None),
        ("ur_PK", None, "ur-PK"),
    ],
    ids=[
        "the feed's declaration is taken",
        "the operator knows better",
        "none is none",
        "nonsense is none",
        "an underscore is mended",
    ],
)
async def test_the_language_is_declared_or_unknown(
    server: FeedServer,
    runtime: Runtime,
    declared: str,
    configured: str | None,
    language: str | None,
) -> None:
    body = rss(rss_item("a", "One"), language=declared)
    assert (await one(server, runtime, body, language=configured)).language == language


async def test_long_texts_fit_the_record(server: FeedServer, runtime: Runtime) -> None:
    report = await one(server, runtime, rss(rss_item("a", "t" * 5_000, "x" * 300_000)))
    assert (len(report.title), len(report.text)) == (2_000, 200_000)


async def test_unchanged_after_a_commit_is_learned_by_a_304(
    server: FeedServer, runtime: Runtime
) -> None:
    url = server.script("/f", gives_conditionally(rss(rss_item("a", "One")), '"v1"'))
    assert await stored(feed(runtime, url)) == ["One"]
    assert await stored(feed(runtime, url)) == []  # a new process, with the old cursor
    assert [headers.get("If-None-Match") for _, headers in server.requests] == [None, '"v1"']


async def test_items_not_committed_are_not_lost_behind_a_304(
    server: FeedServer, runtime: Runtime
) -> None:
    url = server.script("/f", gives_conditionally(rss(rss_item("a", "One")), '"v1"'))
    source = feed(runtime, url)
    assert len(await source.poll()) == 1
    assert len(await source.poll()) == 1
    assert await stored(feed(runtime, url)) == ["One"]


async def test_a_304_cannot_clear_a_failure(server: FeedServer, runtime: Runtime) -> None:
    good = gives_conditionally(rss(rss_item("a", "One")), '"v1"')
    url = server.script("/f", good, gives("<html>down</html>"), good, good)
    source = feed(runtime, url)
    assert await stored(source) == ["One"]
    with pytest.raises(SourceError, match="not_a_feed"):
        await source.poll()
    assert await stored(source) == []
    assert await stored(source) == []
    sent = [headers.get("If-None-Match") for _, headers in server.requests]
    assert sent == [None, '"v1"', None, '"v1"']


async def test_items_that_leave_the_feed_before_the_commit_are_handed_out_again(
    server: FeedServer, runtime: Runtime
) -> None:
    assert isinstance(runtime.clock, FakeClock)
    a, b = rss_item("a", "One"), rss_item("b", "Two")
    source = feed(runtime, server.script("/f", gives(rss(a)), gives(rss(b))))
    first = await source.poll()
    runtime.clock.advance(300)
    second = await source.poll()
    assert [report.title for report in second] == ["One", "Two"]
    assert second[0] == first[0]
