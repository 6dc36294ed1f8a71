"""Documents: written from the store, replaced whole, and served to whoever has them not yet."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.exposition import Server, serve
from streams.published import Published
from streams.settings import Settings, Worker
from streams.sinks import DOCUMENTS, Delivered, Message, Rejected, Retry, SinkContext, of_alert
from streams.sinks.cap import CapSink
from streams.sinks.documents import DocumentSink, horizon_end, read
from streams.sinks.feed import AtomSink
from streams.store import Store
from streams.wording import headline
from tests.alert_records import alert, subscription
from tests.documents import LIFE, STORY

EACH = pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    return tmp_path / "data" / "feeds"


def fill(store: Store, *alerts: Alert) -> None:
    store.apply("alerts", [(0, i, each) for i, each in enumerate(alerts)])


def sink(kind: type[DocumentSink], store: Store, folder: Path) -> DocumentSink:
    return kind(
        SinkContext(
            source="https://tocsin.example/",
            now=lambda: datetime.now(UTC),
            alerts_for=store.alerts_for,
            revisions=store.revisions,
            feeds=folder,
        )
    )


async def send(
    kind: type[DocumentSink], store: Store, folder: Path, told: Alert, name: str = "all"
) -> Any:
    asked = subscription(kind.name, name)
    return await sink(kind, store, folder).send(of_alert(told, asked), asked, None)


# Written


@EACH
async def test_a_delivered_alert_is_in_the_document(
    kind: type[DocumentSink], store: Store, feeds: Path
) -> None:
    fill(store, *STORY)
    assert await send(kind, store, feeds, STORY[1]) == Delivered()
    file = feeds / f"all.{kind.form.extension}"
    assert all(state.encode() in file.read_bytes() for state in ("acknowledged", "resolved"))
    assert file.stat().st_mode & 0o777 == 0o644
    assert [name for name in os.listdir(feeds) if name.startswith(".all.")] == []  # no drafts


async def test_a_document_holds_what_its_subscription_asks_for(store: Store, feeds: Path) -> None:
    fill(store, *STORY)
    asked = subscription("atom", "kandahar", units=("AF-KAN",))
    atom = sink(AtomSink, store, feeds)
    assert await atom.send(of_alert(STORY[1], asked), asked, None) == Delivered()
    entries = feedparser.parse((feeds / "kandahar.atom").read_bytes()).entries
    assert [each.title for each in entries] == [headline(STORY[i]) for i in (4, 3, 1)]


@EACH
async def test_it_waits_for_the_store_to_have_the_revision(
    kind: type[DocumentSink], store: Store, feeds: Path
) -> None:
    fill(store, alert(1, 0))
    assert isinstance(await send(kind, store, feeds, alert(1, 1)), Retry)
    assert not (feeds / f"all.{kind.form.extension}").exists()
    fill(store, alert(1, 1), alert(1, 2))
    assert await send(kind, store, feeds, alert(1, 1)) == Delivered()


async def test_a_digest_waits_for_all_its_alerts(store: Store, feeds: Path) -> None:
    asked = subscription("atom", "all")
    digest = Message("digest/1", "digest", alert(2).at, (alert(1), alert(2)))
    fill(store, alert(1))
    assert isinstance(await sink(AtomSink, store, feeds).send(digest, asked, None), Retry)
    fill(store, alert(2))
    assert await sink(AtomSink, store, feeds).send(digest, asked, None) == Delivered()


@EACH
@pytest.mark.parametrize("about", ["test", "notice", "challenge"])
async def test_what_is_no_alert_of_the_store_only_renews_the_document(
    kind: type[DocumentSink], about: Any, store: Store, feeds: Path
) -> None:
    asked, made_up = subscription(kind.name, "all"), (alert(9),) if about == "test" else ()
    message = Message("m/1", about, datetime(2026, 3, 1, tzinfo=UTC), made_up, "a text")
    assert await sink(kind, store, feeds).send(message, asked, None) == Delivered()
    document = (feeds / f"all.{kind.form.extension}").read_bytes()
    assert b"Tocsin" in document
    assert b"Kandahar" not in document


@EACH
async def test_the_same_state_leaves_the_file_as_it_is(
    kind: type[DocumentSink], store: Store, feeds: Path
) -> None:
    fill(store, *STORY)
    await send(kind, store, feeds, STORY[1])
    file = feeds / f"all.{kind.form.extension}"
    before = file.stat(), file.read_bytes()
    await send(kind, store, feeds, STORY[0])
    assert (file.stat(), file.read_bytes()) == before
    await sink(kind, store, feeds).close()


@EACH
@pytest.mark.parametrize(
    "name", ["", "../outside", "/etc/feed", "a/b", ".hidden", "A", "a.atom", "a\x00", "a" * 65]
)
async def test_a_document_cannot_be_written_elsewhere(
    kind: type[DocumentSink], name: str, store: Store, feeds: Path
) -> None:
    fill(store, *STORY)
    assert isinstance(await send(kind, store, feeds, STORY[1], name), Rejected)
    assert not feeds.parent.exists()


@EACH
async def test_a_folder_that_cannot_be_written_is_tried_again(
    kind: type[DocumentSink], store: Store, tmp_path: Path
) -> None:
    (tmp_path / "feeds").write_text("a file in the way")
    fill(store, *STORY)
    assert isinstance(await send(kind, store, tmp_path / "feeds", STORY[1]), Retry)


async def test_readers_never_see_part_of_a_document(store: Store, feeds: Path) -> None:
    fill(store, alert(0))
    await send(AtomSink, store, feeds, alert(0))
    done, bad = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            if feedparser.parse((feeds / "all.atom").read_bytes()).bozo:
                bad.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for n in range(1, 30):
            store.apply("alerts", [(0, n, alert(n))])
            assert await send(AtomSink, store, feeds, alert(n)) == Delivered()
    finally:
        done.set()
        reader.join(timeout=30)
    assert bad == []
    assert len(feedparser.parse((feeds / "all.atom").read_bytes()).entries) == 30


@pytest.mark.parametrize(
    ("unit", "ends"),
    [
        pytest.param("AF-KAN", datetime(2026, 3, 16, 19, 30, tzinfo=UTC), id="midnight in Kabul"),
        pytest.param("PK-KP", datetime(2026, 3, 16, 19, 0, tzinfo=UTC), id="in Islamabad"),
        pytest.param("IND~PAK", datetime(2026, 3, 17, tzinfo=UTC), id="where no hour is known"),
        pytest.param("XX-1", datetime(2026, 3, 17, tzinfo=UTC), id="of an unknown unit"),
    ],
)
def test_a_claim_ends_with_its_last_local_day(unit: str, ends: datetime) -> None:
    claim = alert(1).claim
    rule = replace(claim.resolver, unit=unit)
    assert horizon_end(alert(1, claim=replace(claim, resolver=rule))) == ends


# Served


@pytest.fixture
def asked() -> list[Subscription]:
    return [subscription(kind.name, "all") for kind in DOCUMENTS]


@pytest.fixture
def server(feeds: Path, asked: list[Subscription]) -> Iterator[Server]:
    def document(path: str) -> Any:
        return read(feeds, DOCUMENTS, asked, path)

    with serve(CollectorRegistry(), documents=document, feed=lambda: b"<feed/>") as server:
        yield server


Ask = Callable[..., tuple[http.client.HTTPResponse, bytes]]


@pytest.fixture
def ask(server: Server) -> Ask:
    def asking(path: str, method: str = "GET", **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            reply = connection.getresponse()
            return reply, reply.read()
        finally:
            connection.close()

    return asking


TYPES = {
    "all.atom": "application/atom+xml; charset=utf-8",
    "all.json": "application/feed+json; charset=utf-8",
    "all.cap.atom": "application/atom+xml; charset=utf-8",
    "all.stix.json": "application/stix+json;version=2.1",
    "all.ics": "text/calendar; charset=utf-8",
}


async def write_all(store: Store, feeds: Path, told: Alert) -> None:
    for kind in DOCUMENTS:
        assert await send(kind, store, feeds, told) == Delivered()


@pytest.mark.parametrize("path", TYPES)
async def test_a_document_is_served_once_to_each_reader(
    path: str, store: Store, feeds: Path, ask: Ask
) -> None:
    assert ask(f"/feeds/{path}")[0].status == 404
    fill(store, *STORY)
    await write_all(store, feeds, STORY[0])
    document = (feeds / path).read_bytes()
    reply, body = ask(f"/feeds/{path}?from=reader")
    assert (reply.status, body) == (200, document)
    assert reply.getheader("Content-Type") == TYPES[path]
    etag, modified = reply.getheader("ETag") or "", reply.getheader("Last-Modified") or ""
    assert parsedate_to_datetime(modified).timestamp() == int((feeds / path).stat().st_mtime)

    for known in ({"If_None_Match": etag}, {"If_Modified_Since": modified}):
        reply, body = ask(f"/feeds/{path}", **known)
        assert (reply.status, body, reply.getheader("ETag")) == (304, b"", etag)
    reply, body = ask(f"/feeds/{path}", "HEAD")
    assert (reply.status, body) == (200, b"")
    assert reply.getheader("Content-Length") == str(len(document))
    assert reply.getheader("ETag") == etag

    store.apply("alerts", [(0, 99, alert(9))])
    await write_all(store, feeds, alert(9))
    reply, body = ask(f"/feeds/{path}", If_None_Match=etag, If_Modified_Since=modified)
    assert (reply.status, body) == (200, (feeds / path).read_bytes())
    assert body != document


@pytest.mark.parametrize(
    ("since", "status"),
    [
        pytest.param("Sat, 01 Jan 2000 00:00:00 GMT", 200, id="changed since"),
        pytest.param("Fri, 01 Jan 2100 00:00:00 GMT", 304, id="not changed since"),
        pytest.param("Fri, 01 Jan 2100 00:00:00 -0000", 304, id="no zone is UTC"),
        pytest.param("yesterday", 200, id="no date"),
        pytest.param("Fri, 01 Jan 99999 00:00:00 +9999999", 200, id="no date that there is"),
        pytest.param("", 200, id="nothing"),
    ],
)
async def test_a_reader_without_an_etag_asks_by_time(
    since: str, status: int, store: Store, feeds: Path, ask: Ask
) -> None:
    await write_all(store, feeds, (fill(store, alert(1)), alert(1))[1])
    assert ask("/feeds/all.atom", If_Modified_Since=since)[0].status == status


async def test_a_cap_message_is_found_by_the_index(store: Store, feeds: Path, ask: Ask) -> None:
    fill(store, *LIFE)
    await send(CapSink, store, feeds, LIFE[-1])
    _, body = ask("/feeds/all.cap.atom")
    (entry,) = feedparser.parse(body).entries
    (link,) = [each.href for each in entry.links if each.type == "application/cap+xml"]
    reply, message = ask(f"/feeds/{link}")
    assert reply.getheader("Content-Type") == "application/cap+xml; charset=utf-8"
    assert message == (feeds / link).read_bytes()
    assert b"<msgType>Cancel</msgType>" in message


async def test_what_a_removed_subscription_left_is_not_served(
    store: Store, feeds: Path, ask: Ask, asked: list[Subscription]
) -> None:
    fill(store, alert(1))
    await write_all(store, feeds, alert(1))
    asked[:] = [each for each in asked if each.sink != "ics"]
    assert ask("/feeds/all.ics")[0].status == 404
    assert ask("/feeds/all.atom")[0].status == 200


OUTSIDE = [
    "", "..", "../store.db", "../../store.db", "%2e%2e/%2e%2e/store.db", "all.cap/../../store.db",
    "all.cap/..%2f..%2fstore.db", "/etc/passwd", "//etc/passwd", ".lock.all.atom", "all", "all.",
    "all.cap", "all.cap/", "all.atom/", "all./", "all.atom%00", "all.atom/../all.atom", "ALL.atom",
    "./all.atom", "secret.txt", "all.cap/secret.xml", "link.atom", "all.cap/.lock", "all.atom\\",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
async def test_nothing_but_documents_can_be_read(
    path: str, store: Store, feeds: Path, ask: Ask, asked: list[Subscription]
) -> None:
    asked += [subscription("atom", name) for name in ("link", "ALL", "", "..", "secret")]
    fill(store, *LIFE)
    await write_all(store, feeds, LIFE[-1])
    (feeds / "secret.txt").write_text("secret")
    (feeds / "all.cap" / "secret.xml").write_text("secret")
    os.symlink(feeds.parent.parent / "store.db", feeds / "link.atom")
    assert ask("/feeds/all.atom")[0].status == 200
    reply, body = ask(f"/feeds/{path}")
    assert (reply.status, body) == (404, b"not found\n")
    assert read(feeds, DOCUMENTS, asked, path) is None


async def test_a_path_that_no_client_would_send_is_none(store: Store, feeds: Path) -> None:
    fill(store, alert(1))
    await write_all(store, feeds, alert(1))
    asked = [subscription(kind.name, "all") for kind in DOCUMENTS]
    for path in ("all.atom\x00", "all.atom\n", "\x00", "all.cap/\x00", "all.\udcff"):
        assert read(feeds, DOCUMENTS, asked, path) is None


def test_a_file_where_the_messages_should_be_is_none(feeds: Path) -> None:
    feeds.mkdir(parents=True)
    (feeds / "all.cap").write_text("a file in the way")
    path = "all.cap/00000000-0000-0000-0000-000000000000.xml"
    assert read(feeds, DOCUMENTS, [subscription("cap", "all")], path) is None


async def test_the_feed_of_all_stays_where_it_was(ask: Ask) -> None:
    reply, body = ask("/feed.atom")
    assert (reply.status, body) == (200, b"<feed/>")


def test_without_documents_there_are_none() -> None:
    with serve(CollectorRegistry()) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/feeds/all.atom")
        assert connection.getresponse().status == 404
        connection.close()


async def test_a_process_publishes_all_alerts_and_what_subscriptions_ask_for(
    store: Store, tmp_path: Path
) -> None:
    worker = Worker(data_dir=tmp_path / "data")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    published = Published(Settings().model_copy(update={"worker": worker}), store, since)
    empty = feedparser.parse(published.feed("http://127.0.0.1:9108"))
    assert (empty.feed.updated, empty.entries) == ("2026-01-01T00:00:00Z", [])
    assert empty.feed.links[0].href == "http://127.0.0.1:9108/feed.atom"
    fill(store, alert(1))
    assert len(feedparser.parse(published.feed("")).entries) == 1

    feeds = tmp_path / "data" / "feeds"
    assert await send(AtomSink, store, feeds, alert(1), "kandahar") == Delivered()
    assert published.document("kandahar.atom") is None  # nobody asks for it
    store.apply("subscriptions", [(0, 0, subscription("atom", "kandahar"))])
    found = published.document("kandahar.atom")
    assert found is not None
    assert found.body == (feeds / "kandahar.atom").read_bytes()
    store.apply("subscriptions", [(0, 1, subscription("atom", "", state="removed"))])
    assert published.document("kandahar.atom") is None
