"""The words of alerts, and Atom feeds: what a reader gets back, and the same bytes each time."""

from __future__ import annotations

from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from detectors.records import Alert
from streams.served import Document
from streams.sinks.documents import MOST_ALERTS, DocumentInfo
from streams.sinks.feed import ATOM, render
from streams.wording import DISCLAIMER, details, headline, summary
from tests.alert_records import alert
from tests.documents import STORY, any_alerts, golden, info

INFO = info(empty_since=None)


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
    assert document == golden("feed.atom", document)


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
    def ids(alerts: list[Alert], about: DocumentInfo = INFO) -> list[str]:
        return [each.id for each in feedparser.parse(render(alerts, about)).entries]

    assert ids([alert(1, 0)]) == ids([alert(1, 5, state="resolved")])
    assert len(set(ids(STORY))) == 4
    assert all(each.startswith("urn:uuid:") for each in ids(STORY))
    assert ids(STORY) != ids(STORY, info(source="https://other.example/"))


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(STORY + STORY[:2]))
def test_the_order_and_repeats_of_alerts_do_not_matter(order: list[Alert]) -> None:
    assert render(order, INFO) == render(STORY, INFO)


def test_the_etag_is_strong_quoted_and_changes_with_the_content() -> None:
    one, two = (Document(render(each, INFO), "").etag for each in (STORY, STORY[:2]))
    assert one != two
    assert (one[0], one[-1], len(one)) == ('"', '"', 34)


@settings(max_examples=50, deadline=None)
@given(alerts=any_alerts())
def test_any_alerts_give_a_readable_feed(alerts: list[Alert]) -> None:
    feed = etree.fromstring(render(alerts, info()))
    assert feed.tag == f"{{{ATOM}}}feed"
    assert len(feed.findall(f"{{{ATOM}}}entry")) == len({each.id for each in alerts})


def test_markup_in_a_text_stays_text() -> None:
    document = render([alert(1, reason="<script>alert(1)</script> & more")], INFO)
    (entry,) = feedparser.parse(document, sanitize_html=False).entries
    assert "<script>alert(1)</script> & more" in entry.content[0].value
    assert b"<script>" not in document


def test_the_newest_entries_are_kept_when_there_are_too_many() -> None:
    many = [alert(n) for n in range(MOST_ALERTS + 5)]
    entries = feedparser.parse(render(many, INFO)).entries
    assert len(entries) == MOST_ALERTS
    assert entries[0].updated == many[-1].at.isoformat().replace("+00:00", "Z")


def test_an_empty_feed_needs_a_time_that_is_given() -> None:
    with pytest.raises(ValueError, match="empty_since"):
        render([], INFO)
    feed = feedparser.parse(render([], info()))
    assert (feed.feed.updated, feed.entries) == ("2026-01-01T00:00:00Z", [])
