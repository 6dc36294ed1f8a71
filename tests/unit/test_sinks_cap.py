"""CAP 1.2: messages the OASIS schema takes in every state, and what they say of one another."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from lxml import etree
from msgspec.structs import replace

from detectors.records import Alert
from streams.settings import Delivery, Settings
from streams.sinks import Delivered, Retry, SinkContext, feed, of_alert
from streams.sinks.base import CapStatus
from streams.sinks.cap import NAMESPACE, CapSink, identifier, message, messages, render
from streams.sinks.context import context_of
from streams.sinks.documents import MOST_PARTS
from streams.wording import DISCLAIMER, details, headline
from tests.alert_records import alert, subscription
from tests.documents import GOLDEN, LIFE, STORY, any_alerts, golden, info, last

SCHEMA = etree.XMLSchema(etree.parse(GOLDEN / "standards" / "CAP-v1.2-schema.xsd"))
INFO = info(self_url=None, revisions=lambda id: [each for each in LIFE if each.id == id])
IN_LIFE = pytest.mark.parametrize(
    "number", range(len(LIFE)), ids=[f"{each.revision}-{each.state}" for each in LIFE]
)


def parse(document: bytes) -> etree._Element:
    """Return a message once the schema takes it."""
    found = etree.fromstring(document)
    SCHEMA.assertValid(found)
    return found


def text(found: etree._Element, path: str) -> str | None:
    told: str | None = found.findtext(
        "/".join(f"{{{NAMESPACE}}}{each}" for each in path.split("/"))
    )
    return told


def pairs(found: etree._Element, name: str) -> dict[str, str]:
    return {each[0].text: each[1].text for each in found.iter(f"{{{NAMESPACE}}}{name}")}


def of(told: Alert, earlier: list[Alert] | None = None, **changes: Any) -> etree._Element:
    return parse(message(told, earlier or [], info(**changes)))


# A message


@IN_LIFE
def test_every_state_of_an_alert_keeps_to_the_schema(number: int) -> None:
    told = LIFE[number]
    found = of(told, LIFE[:number])
    assert text(found, "info/headline") == headline(told)
    assert text(found, "info/description") == details(told)
    assert DISCLAIMER in (text(found, "info/description") or "")
    assert pairs(found, "parameter")["probability"] == "0.34"
    assert pairs(found, "parameter")["coverage"] == told.coverage
    assert text(found, "scope") == "Public"
    assert text(found, "info/certainty") != "Observed"


def test_the_life_of_an_alert_reads() -> None:
    told = [of(each, LIFE[:number]) for number, each in enumerate(LIFE)]
    names = ("msgType", "info/urgency", "info/severity", "info/certainty", "info/responseType")
    assert [tuple(text(each, name) for name in names) for each in told] == [
        ("Alert", "Future", "Moderate", "Possible", "Monitor"),
        ("Update", "Future", "Moderate", "Possible", "Monitor"),
        ("Update", "Unknown", "Moderate", "Unknown", "Monitor"),
        ("Update", "Future", "Severe", "Possible", "Monitor"),
        ("Update", "Past", "Moderate", "Possible", "None"),
        ("Cancel", "Past", "Moderate", "Possible", "None"),
        ("Cancel", "Past", "Moderate", "Unknown", "None"),
    ]
    assert "resolved" in (text(told[4], "info/headline") or "")


@IN_LIFE
def test_a_message_refers_to_all_before_it(number: int) -> None:
    before = [of(each, LIFE[:n]) for n, each in enumerate(LIFE[:number])]
    expected = [
        ",".join(text(each, name) or "" for name in ("sender", "identifier", "sent"))
        for each in before
    ]
    found = text(of(LIFE[number], LIFE[:number]), "references")
    assert (found or "").split() == expected


@settings(max_examples=50, deadline=None)
@given(alerts=any_alerts())
def test_any_alerts_keep_to_the_schema(alerts: list[Alert]) -> None:
    about = info(revisions=lambda id: [each for each in alerts if each.id == id])
    found = [parse(part.render()) for part in messages(alerts, about)]
    assert len(found) == len({(each.id, each.revision) for each in alerts})
    for each in found:
        assert text(each, "info/certainty") in ("Likely", "Possible", "Unlikely", "Unknown")
        assert text(each, "status") == "Exercise"
        assert (text(each, "info/description") or "").endswith(DISCLAIMER)
    index = feedparser.parse(render(alerts, about))
    assert len(index.entries) == len(last(alerts))


@pytest.mark.parametrize("status", ["Actual", "Exercise", "Test"])
def test_a_message_is_what_the_operator_says_it_is(status: CapStatus) -> None:
    found = of(alert(1), cap_status=status)
    assert text(found, "status") == status
    note = text(found, "note") or ""
    assert ("https://tocsin.example/" in note) == (status == "Exercise")


def test_it_is_an_exercise_unless_the_operator_says_so() -> None:
    assert Delivery().cap_status == "Exercise"
    assert text(of(alert(1)), "status") == "Exercise"


def test_what_the_operator_sets_reaches_the_sinks() -> None:
    settings = Settings().model_copy(update={"delivery": Delivery(cap_status="Actual")})
    context = context_of(settings, alerts_for=lambda _: [], revisions=lambda _: [])
    assert context.cap_status == "Actual"


def test_what_is_cancelled_says_why() -> None:
    assert "open for too long" in (text(of(LIFE[5], LIFE[:5]), "note") or "")
    assert text(of(LIFE[5], LIFE[:5], cap_status="Actual"), "note") == "open for too long"


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "Unlikely"), (0.009, "Unlikely"), (0.01, "Possible"), (0.5, "Possible"),
        (0.51, "Likely"), (1.0, "Likely"),
    ],
)  # fmt: skip
def test_certainty_is_the_probability_of_the_claim(probability: float, expected: str) -> None:
    told = alert(1, claim=replace(alert(1).claim, probability=probability))
    assert text(of(told), "info/certainty") == expected


@pytest.mark.parametrize(
    ("unit", "name", "codes"),
    [
        ("AF-KAN", "Kandahar", [("ISO3166-2", "AF-KAN")]),
        ("PAK", "Pakistan", [("ISO3166-1", "PAK")]),
        ("AF-NAN~PK-KP", "Nangarhar–Khyber Pakhtunkhwa border",
         [("ISO3166-2", "AF-NAN"), ("ISO3166-2", "PK-KP")]),
        ("IND~PAK", "India–Pakistan relations", [("ISO3166-1", "IND"), ("ISO3166-1", "PAK")]),
        ("ttp", None, []),
        ("unplaced", None, []),
        ("XX-1", None, []),
    ],
)  # fmt: skip
def test_an_area_is_named_by_its_codes(
    unit: str, name: str | None, codes: list[tuple[str, str]]
) -> None:
    found = of(alert(1, unit=unit))
    assert text(found, "info/area/areaDesc") == name
    geocodes = found.iter(f"{{{NAMESPACE}}}geocode")
    assert [(each[0].text, each[1].text) for each in geocodes] == codes


def test_times_are_to_the_second_and_utc_as_the_standard_has_it() -> None:
    told = alert(1, at=alert(1).at + timedelta(microseconds=999_999))
    found = of(told)
    assert text(found, "sent") == "2026-03-02T06:00:00-00:00"
    assert text(found, "info/expires") == "2026-03-16T19:30:00-00:00"
    assert datetime.fromisoformat(text(found, "sent") or "") == alert(1).at


def test_what_outlives_its_claim_has_no_end_in_the_past() -> None:
    told = alert(1, 3, at=alert(1).at + timedelta(days=20))
    assert text(of(told), "info/expires") is None


def test_an_unknown_is_called_unknown() -> None:
    found = pairs(of(STORY[3]), "parameter")
    assert (found["observed"], found["expected"]) == ("unknown", "unknown")
    assert pairs(of(alert(1)), "parameter")["observed"] == "23"
    assert pairs(of(STORY[4]), "parameter")["verdict"] == "HIT"


def test_nothing_separates_the_parts_of_a_name() -> None:
    found = of(alert(1), source="https://tocsin.example/a, b<c>&d?e=f é")
    for name in ("sender", "identifier"):
        assert re.fullmatch(r"[^\s,<&]+", text(found, name) or "")


def test_a_message_is_as_it_was() -> None:
    document = message(LIFE[4], LIFE[:4], INFO)
    assert document == golden("cap-message.xml", document)


# The index, and the folder of messages


def test_the_index_names_the_last_message_of_each_alert() -> None:
    index = feedparser.parse(render([*STORY, *LIFE], INFO))
    assert not index.bozo
    told = last([*STORY, *LIFE])
    assert {each.id for each in index.entries} == {
        f"urn:uuid:{identifier(each, INFO)}" for each in told.values()
    }
    (entry,) = [each for each in index.entries if "retracted" in each.title]
    (link,) = [each.href for each in entry.links if each.type == "application/cap+xml"]
    assert link == f"all.cap/{identifier(LIFE[-1], INFO)}.xml"


def test_the_index_is_another_feed_than_the_alerts() -> None:
    ids = [
        feedparser.parse(each).feed.id for each in (render(STORY, INFO), feed.render(STORY, INFO))
    ]
    assert len(set(ids)) == 2


def test_a_message_is_the_same_in_all_documents_and_another_for_another_status() -> None:
    one, other = info(name="all"), info(name="kandahar", title="Other")
    assert message(LIFE[1], LIFE[:1], one) == message(LIFE[1], LIFE[:1], other)
    assert identifier(LIFE[1], one) != identifier(LIFE[1], info(cap_status="Actual"))
    assert len({identifier(each, one) for each in LIFE}) == len(LIFE)


class Store:
    """What the sink is told of alerts."""

    def __init__(self, *alerts: Alert) -> None:
        self.alerts = alerts

    def sink(self, feeds: Path, **changes: Any) -> CapSink:
        return CapSink(
            SinkContext(
                source="https://tocsin.example/",
                now=lambda: alert(1).at,
                alerts_for=lambda _: list(last(self.alerts).values()),
                revisions=lambda id: [each for each in self.alerts if each.id == id],
                feeds=feeds,
                **changes,
            )
        )

    async def send(self, feeds: Path, **changes: Any) -> None:
        asked = subscription("cap", "all")
        told = of_alert(self.alerts[-1], asked)
        assert await self.sink(feeds, **changes).send(told, asked, None) == Delivered()


async def test_all_messages_of_the_index_and_before_are_there(tmp_path: Path) -> None:
    await Store(*LIFE).send(tmp_path)
    files = {name: (tmp_path / "all.cap" / name) for name in os.listdir(tmp_path / "all.cap")}
    assert files.keys() == {f"{identifier(each, INFO)}.xml" for each in LIFE}
    for name, file in files.items():
        found = parse(file.read_bytes())
        assert f"{text(found, 'identifier')}.xml" == name
        referred = [each.split(",")[1] for each in (text(found, "references") or "").split()]
        assert {f"{each}.xml" for each in referred} <= files.keys()


async def test_a_message_that_is_out_is_never_altered(tmp_path: Path) -> None:
    await Store(*LIFE[:2]).send(tmp_path)
    file = tmp_path / "all.cap" / f"{identifier(LIFE[0], INFO)}.xml"
    before = file.read_bytes(), file.stat().st_mtime_ns
    await Store(*LIFE[:3]).send(tmp_path, console_url="https://console.example/")
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert len(os.listdir(tmp_path / "all.cap")) == 3


async def test_very_many_messages_are_written_in_turns(tmp_path: Path) -> None:
    many = Store(*(alert(n, r) for n in range(MOST_PARTS // 2) for r in range(3)))
    asked = subscription("cap", "all")
    told = of_alert(many.alerts[-1], asked)
    assert isinstance(await many.sink(tmp_path).send(told, asked, None), Retry)
    assert len(os.listdir(tmp_path / "all.cap")) == MOST_PARTS
    assert "all.cap.atom" not in os.listdir(tmp_path)
    await many.send(tmp_path)
    assert len(os.listdir(tmp_path / "all.cap")) == len(many.alerts)
    assert "all.cap.atom" in os.listdir(tmp_path)


async def test_messages_of_alerts_that_are_no_longer_shown_go(tmp_path: Path) -> None:
    await Store(*LIFE[:2]).send(tmp_path)
    await Store(alert(2)).send(tmp_path)
    assert os.listdir(tmp_path / "all.cap") == [f"{identifier(alert(2), INFO)}.xml"]


async def test_the_setting_reaches_the_messages(tmp_path: Path) -> None:
    await Store(alert(1)).send(tmp_path, cap_status="Actual")
    (name,) = os.listdir(tmp_path / "all.cap")
    assert text(parse((tmp_path / "all.cap" / name).read_bytes()), "status") == "Actual"
