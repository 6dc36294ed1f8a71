"""JSON Feed: every rule of version 1.1, and what a reader gets back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.records import Alert
from streams.sinks import feed, jsonfeed
from streams.sinks.jsonfeed import render
from streams.wording import DISCLAIMER, details, headline, summary
from tests.alert_records import alert
from tests.documents import STORY, any_alerts, golden, info, last

INFO = info(self_url="https://tocsin.example/feeds/all.json")
#: The members that JSON Feed 1.1 knows, with the types of their values.
TOP = {
    "version": str, "title": str, "home_page_url": str, "feed_url": str, "description": str,
    "authors": list, "language": str, "items": list,
}  # fmt: skip
ITEM = {
    "id": str, "url": str, "title": str, "content_text": str, "summary": str,
    "date_published": str, "date_modified": str, "tags": list,
}  # fmt: skip


def check(document: bytes) -> dict[str, Any]:
    """Return the feed, once it keeps to all rules."""
    found: dict[str, Any] = json.loads(document.decode("utf-8"))
    assert {"version", "title", "items"} <= found.keys()
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert all(isinstance(value, TOP[name]) for name, value in found.items())
    assert all(author.keys() <= {"name", "url", "avatar"} for author in found["authors"])
    ids = [item["id"] for item in found["items"]]
    assert len(set(ids)) == len(ids)
    for item in found["items"]:
        extension = item.pop("_tocsin")  # begins with an underscore and a letter, is an object
        assert isinstance(extension, dict)
        assert all(isinstance(value, ITEM[name]) for name, value in item.items())
        assert item["content_text"]
        assert all(isinstance(tag, str) for tag in item["tags"])
        for name in ("date_published", "date_modified"):
            assert datetime.fromisoformat(item[name]).tzinfo is not None
        item["_tocsin"] = extension
    return found


def test_the_feed_is_as_it_was() -> None:
    document = render(STORY, INFO)
    assert document == golden("feed.json", document)


@settings(max_examples=50, deadline=None)
@given(alerts=any_alerts())
def test_any_alerts_keep_to_the_rules(alerts: list[Alert]) -> None:
    found = check(render(alerts, INFO))
    shown = {each["_tocsin"]["alert"]: each for each in found["items"]}
    assert shown.keys() == last(alerts).keys()
    for known in last(alerts).values():
        assert shown[known.id]["content_text"] == details(known)
        assert shown[known.id]["content_text"].endswith(DISCLAIMER)


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(STORY + STORY[:2]))
def test_the_order_and_repeats_of_alerts_do_not_matter(order: list[Alert]) -> None:
    assert render(order, INFO) == render(STORY, INFO)


def test_a_reader_gets_an_alert_in_words_and_figures() -> None:
    found = check(render(STORY, INFO))
    assert found["description"] == DISCLAIMER
    assert found["feed_url"] == "https://tocsin.example/feeds/all.json"
    item = found["items"][-1]
    told = STORY[1]
    assert (item["title"], item["summary"]) == (headline(told), summary(told))
    assert item["date_published"] == "2026-03-02T06:00:00Z"
    assert item["date_modified"] == "2026-03-02T12:00:00Z"
    assert item["tags"] == ["AF-KAN", "violence-burst", "warning", "acknowledged"]
    figures = item["_tocsin"]
    assert (figures["probability"], figures["base_rate"], figures["revision"]) == (0.34, 0.12, 1)
    assert (figures["coverage"], figures["coverage_share"]) == ("ok", 0.96)


def test_an_unknown_is_null_and_not_zero() -> None:
    (item,) = check(render([STORY[3]], INFO))["items"]
    assert (item["_tocsin"]["observed"], item["_tocsin"]["expected"]) == (None, None)
    assert (item["_tocsin"]["coverage"], item["_tocsin"]["coverage_share"]) == ("dark", 0.0)
    assert item["_tocsin"]["verdict"] is None


def test_an_item_has_the_id_of_the_atom_entry() -> None:
    (item,) = check(render([alert(1)], INFO))["items"]
    assert item["id"].encode() in feed.render([alert(1)], INFO)


def test_what_there_is_not_is_left_out() -> None:
    found = check(render([alert(1)], info(self_url=None, console_url=None)))
    assert found.keys() == TOP.keys() - {"home_page_url", "feed_url"}
    assert "url" not in found["items"][0]
    assert check(render([], INFO))["items"] == []


def test_the_format_says_what_it_is() -> None:
    form = jsonfeed.JsonFeedSink.form
    assert (form.extension, form.content_type) == ("json", "application/feed+json; charset=utf-8")
