"""Atom feeds: what a reader gets back, the same bytes each time, and files replaced whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from detectors.records import Alert, Outcome
from streams.sinks import Delivered, Rejected, Retry, SinkContext
from streams.sinks.feed import ATOM, MOST_ENTRIES, AtomSink, FeedInfo, etag, render
from streams.store import Store
from streams.wording import DISCLAIMER, details, headline, summary
from tests.alert_records import alert, subscription

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "feed.atom"
INFO = FeedInfo(
    source="https://tocsin.example/",
    name="all",
    self_url="https://tocsin.example/feeds/all.atom",
    console_url="https://tocsin.example/",
)
OUTCOME = Outcome("HIT", datetime(2026, 4, 20, tzinfo=UTC), 31, "31 incidents, at least 20 claimed")
STORY = [
    alert(1, 0),
    alert(1, 1, state="acknowledged", acknowledged_by="desk", note="seen"),
    alert(2, 0, unit="PK-KP", severity="critical"),
    alert(3, 0, state="frozen", coverage="dark", coverage_share=0.0, observed=None, expected=None),
    alert(4, 3, state="resolved", severity="watch", outcome=OUTCOME, evidence=()),
]


# The words


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {},
            "Warning: rise of violent incidents in Kandahar, 23 against 9.1 expected",
            id="open",
        ),
        pytest.param(
            {"severity": "critical", "observed": 0, "expected": 0.04},
            "Critical: rise of violent incidents in Kandahar, 0 against 0.04 expected",
            id="a small expectation is not zero",
        ),
        pytest.param(
            {"state": "resolved", "observed": 0, "expected": 0.04},
            "Warning, resolved: rise of violent incidents in Kandahar, opened 02 Mar 2026",
            id="resolved: what is measured now is no longer the alert",
        ),
        pytest.param(
            {"state": "frozen", "observed": None, "coverage": "dark"},
            "Warning, frozen: rise of violent incidents in Kandahar, count unknown, 9.1 expected",
            id="frozen, and an unknown is not zero",
        ),
        pytest.param(
            {"direction": "fall", "unit": "XX-1", "severity": "watch", "expected": None},
            "Watch: fall of violent incidents in XX-1, 23 against expected count unknown",
            id="a fall, in a unit without a name",
        ),
    ],
)
def test_a_headline_reads(changes: dict[str, Any], expected: str) -> None:
    assert headline(alert(1, 0, **changes)) == expected


def test_a_summary_says_how_sure_and_on_what_ground() -> None:
    assert summary(alert(1)) == (
        "23 against 9.1 expected in 7 days. "
        "Claim: At least 20 violent incidents in Kandahar in 14 days. "
        "Probability 34% within 14 days, against 12% without the signal. "
        "Settled on 2026-04-15 by counting violent incidents in Kandahar "
        "from 2026-03-03 to 2026-03-16: true if at least 20. "
        "Coverage ok: 96% of the usual reports. "
        "Evidence: 2 incidents from 2 independent publishers."
    )
    assert summary(STORY[-1]).endswith("Outcome HIT: 31 incidents, at least 20 claimed.")
    assert "Evidence: 0 incidents from 0 independent publishers." in summary(STORY[-1])


def test_details_name_each_incident_and_end_in_the_disclaimer() -> None:
    text = details(alert(1))
    assert "- 2026-02-27 Kandahar: killed 1 to 4; reported by a, b" in text
    assert "- 2026-02-28 Kandahar: killed unknown; reported by a" in text
    assert text.endswith(DISCLAIMER)


# The document


def test_the_feed_is_as_it_was() -> None:
    document = render(STORY, INFO)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_bytes(document)
    assert document == GOLDEN.read_bytes()


def test_a_feed_reader_reads_it_back() -> None:
    feed = feedparser.parse(render(STORY, INFO))
    assert not feed.bozo
    assert feed.version == "atom10"
    assert feed.feed.updated == feed.entries[0].updated
    assert feed.feed.subtitle == DISCLAIMER
    assert [each.title for each in feed.entries] == [headline(STORY[i]) for i in (4, 3, 2, 1)]
    first = feed.entries[-1]
    assert first.published == "2026-03-02T06:00:00Z"
    assert first.updated == "2026-03-02T12:00:00Z"
    assert (first.summary, first.content[0].value) == (summary(STORY[1]), details(STORY[1]))
    terms = {each.scheme.partition("#")[2]: (each.term, each.label) for each in first.tags}
    assert terms["unit"] == ("AF-KAN", "Kandahar")
    assert (terms["severity"][0], terms["state"][0]) == ("warning", "acknowledged")
    assert terms["signal"][0] == "violence-burst"
    assert first.link.endswith("/alerts/violence-burst%2Frise%2FAF-KAN%2F2026-03-02T06%3A00%3A00Z")


def test_an_alert_keeps_its_id_and_differs_from_others_and_other_installations() -> None:
    def ids(alerts: list[Alert], info: FeedInfo = INFO) -> list[str]:
        return [each.id for each in feedparser.parse(render(alerts, info)).entries]

    assert ids([alert(1, 0)]) == ids([alert(1, 5, state="resolved")])
    assert len(set(ids(STORY))) == 4
    assert all(each.startswith("urn:uuid:") for each in ids(STORY))
    assert ids(STORY) != ids(STORY, FeedInfo(source="https://other.example/", name="all"))


@given(order=st.permutations(STORY + STORY[:2]))
def test_the_order_and_repeats_of_alerts_do_not_matter(order: list[Alert]) -> None:
    assert etag(render(order, INFO)) == etag(render(STORY, INFO))


def test_the_etag_is_strong_quoted_and_changes_with_the_content() -> None:
    one, two = etag(render(STORY, INFO)), etag(render(STORY[:2], INFO))
    assert one != two
    assert (one[0], one[-1], len(one)) == ('"', '"', 34)


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_gives_a_readable_feed(text: str) -> None:
    document = render([alert(1, note=f"n{text}", reason=text, signal=text)], INFO)
    root = etree.fromstring(document)
    assert root.tag == f"{{{ATOM}}}feed"


def test_markup_in_a_text_stays_text() -> None:
    document = render([alert(1, reason="<script>alert(1)</script> & more")], INFO)
    (entry,) = feedparser.parse(document, sanitize_html=False).entries
    assert "<script>alert(1)</script> & more" in entry.content[0].value
    assert b"<script>" not in document


def test_the_newest_entries_are_kept_when_there_are_too_many() -> None:
    many = [alert(n) for n in range(MOST_ENTRIES + 5)]
    entries = feedparser.parse(render(many, INFO)).entries
    assert len(entries) == MOST_ENTRIES
    assert entries[0].updated == many[-1].at.isoformat().replace("+00:00", "Z")


def test_an_empty_feed_needs_a_time_that_is_given() -> None:
    with pytest.raises(ValueError, match="empty_since"):
        render([], INFO)
    info = FeedInfo(source="urn:x", name="n", empty_since=datetime(2026, 1, 1, tzinfo=UTC))
    feed = feedparser.parse(render([], info))
    assert (feed.feed.updated, feed.entries) == ("2026-01-01T00:00:00Z", [])


# The sink


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def sink(store: Store, folder: Path) -> AtomSink:
    return AtomSink(
        SinkContext(
            source="https://tocsin.example/",
            now=lambda: datetime.now(UTC),
            alerts_for=store.alerts_for,
            feeds=folder,
        )
    )


def fill(store: Store, *alerts: Alert) -> None:
    store.apply("alerts", [(0, i, each) for i, each in enumerate(alerts)])


async def test_a_delivered_alert_is_in_the_feed_file(store: Store, tmp_path: Path) -> None:
    fill(store, *STORY)
    asked = subscription("atom", "kandahar", units=("AF-KAN",))
    assert await sink(store, tmp_path / "feeds").send(STORY[1], asked, None) == Delivered()
    file = tmp_path / "feeds" / "kandahar.atom"
    titles = [each.title for each in feedparser.parse(file.read_bytes()).entries]
    assert titles == [headline(STORY[i]) for i in (4, 3, 1)]
    assert file.stat().st_mode & 0o777 == 0o644
    assert not [each for each in file.parent.iterdir() if each.name.startswith(".kandahar.atom")]


async def test_it_waits_for_the_store_to_have_the_revision(store: Store, tmp_path: Path) -> None:
    feeds, asked = tmp_path / "feeds", subscription("atom", "all")
    fill(store, alert(1, 0))
    assert isinstance(await sink(store, feeds).send(alert(1, 1), asked, None), Retry)
    assert not (feeds / "all.atom").exists()
    fill(store, alert(1, 1), alert(1, 2))
    assert await sink(store, feeds).send(alert(1, 1), asked, None) == Delivered()


async def test_the_same_alert_again_gives_the_same_file(store: Store, tmp_path: Path) -> None:
    feeds, asked = tmp_path / "feeds", subscription("atom", "all")
    fill(store, *STORY)
    atom = sink(store, feeds)
    await atom.send(STORY[1], asked, None)
    before = (feeds / "all.atom").read_bytes()
    await atom.send(STORY[0], asked, None)
    assert (feeds / "all.atom").read_bytes() == before
    await atom.close()


@pytest.mark.parametrize(
    "name", ["", "../outside", "/etc/feed", "a/b", ".hidden", "A", "a.atom", "a\x00", "a" * 65]
)
async def test_a_feed_cannot_be_written_elsewhere(name: str, store: Store, tmp_path: Path) -> None:
    fill(store, *STORY)
    answer = await sink(store, tmp_path / "feeds").send(STORY[1], subscription("atom", name), None)
    assert isinstance(answer, Rejected)
    assert not (tmp_path / "feeds").exists()


async def test_a_folder_that_cannot_be_written_is_tried_again(store: Store, tmp_path: Path) -> None:
    (tmp_path / "feeds").write_text("a file in the way")
    fill(store, *STORY)
    answer = await sink(store, tmp_path / "feeds").send(STORY[1], subscription("atom", "all"), None)
    assert isinstance(answer, Retry)


async def test_readers_never_see_part_of_a_feed(store: Store, tmp_path: Path) -> None:
    feeds, asked = tmp_path / "feeds", subscription("atom", "all")
    fill(store, alert(0))
    atom = sink(store, feeds)
    await atom.send(alert(0), asked, None)
    done, bad = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            if feedparser.parse((feeds / "all.atom").read_bytes()).bozo:
                bad.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for n in range(1, 30):
            store.apply("alerts", [(0, n, alert(n))])
            assert await atom.send(alert(n), asked, None) == Delivered()
    finally:
        done.set()
        reader.join(timeout=30)
    assert bad == []
    assert len(feedparser.parse((feeds / "all.atom").read_bytes()).entries) == 30
