"""STIX 2.1: bundles that the validator takes without a word, with ids that stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_string

from detectors.records import Alert
from detectors.world.units import UNITS as ALL_UNITS
from streams.sinks.stix import render
from streams.wording import DISCLAIMER, details, headline
from tests.alert_records import alert
from tests.documents import LIFE, STORY, UNITS, any_alerts, golden, info, last

INFO = info()
#: All checks but two recommendations: ids of version 4 (ours are to stay the same), and a hash of
#: what a reference leads to (a page of the console, which changes).
OPTIONS = ValidationOptions(version="2.1", disabled="103,302")


def check(document: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the objects by their types, once the validator has nothing to say about them."""
    text = document.decode()
    results = validate_string(text, OPTIONS)
    assert results.is_valid, [str(each) for each in results.errors]
    assert results.warnings == []
    found: dict[str, list[dict[str, Any]]] = {}
    objects = json.loads(text)["objects"]
    ids = {each["id"] for each in objects}
    assert len(ids) == len(objects)
    for each in objects:
        found.setdefault(each["type"], []).append(each)
        refs = {*each.get("object_refs", ()), *each.get("object_marking_refs", ())}
        assert refs <= ids
        assert each.get("created_by_ref", next(iter(ids))) in ids
    return found


def test_the_bundle_is_as_it_was() -> None:
    document = render(STORY, INFO)
    check(document)
    assert document == golden("feed.stix.json", document)


@settings(max_examples=15, deadline=None)
@given(alerts=any_alerts())
def test_any_alerts_are_valid(alerts: list[Alert]) -> None:
    found = check(render(alerts, INFO))
    told = last(alerts)
    reports = {
        each["external_references"][0]["external_id"]: each for each in found.get("report", [])
    }
    assert reports.keys() == told.keys()
    for id, report in reports.items():
        assert report["description"] == details(told[id])
        assert report["description"].endswith(DISCLAIMER)


@given(order=st.permutations(STORY + STORY[:2]))
@settings(max_examples=20, deadline=None)
def test_the_order_and_repeats_of_alerts_do_not_matter(order: list[Alert]) -> None:
    assert render(order, INFO) == render(STORY, INFO)


@pytest.mark.parametrize("told", LIFE, ids=lambda told: f"{told.revision}-{told.state}")
def test_an_alert_is_one_report_in_versions(told: Alert) -> None:
    found = check(render([told], INFO))
    (report,) = found["report"]
    (first,) = check(render(LIFE[:1], INFO))["report"]
    assert (report["id"], report["created"]) == (first["id"], first["created"])
    assert report["modified"] == told.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert report["name"] == headline(told)
    assert report.get("revoked", False) is (told.state == "retracted")
    assert report["labels"] == ["violence-burst", "rise", told.severity, told.state]


def test_everything_is_marked_and_said_by_the_installation() -> None:
    found = check(render([alert(1, unit=unit) for unit in UNITS[:1]] + STORY, INFO))
    (marking,) = found.pop("marking-definition")
    us = next(each for each in found["identity"] if each["name"] == "Tocsin")
    assert marking["name"] == "TLP:WHITE"
    for each in (each for kind in found.values() for each in kind):
        assert each["object_marking_refs"] == [marking["id"]]
        assert each is us or each["created_by_ref"] == us["id"]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("AF-KAN", [("AF", "AF-KAN", "Kandahar")]),
        ("AFG", [("AF", None, "Afghanistan")]),
        ("AF-NAN~PK-KP", [("AF", "AF-NAN", "Nangarhar"), ("PK", "PK-KP", "Khyber Pakhtunkhwa")]),
        ("IND~PAK", [("IN", None, None), ("PK", None, "Pakistan")]),
        ("ttp", []),
        ("unplaced", []),
    ],
)
def test_a_place_is_a_location(
    unit: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    found = check(render([alert(1, unit=unit)], INFO))
    places = found.get("location", [])
    told = [(e["country"], e.get("administrative_area"), e.get("name")) for e in places]
    assert sorted(told) == sorted(expected)
    (report,) = found["report"]
    if places:
        assert set(report["object_refs"]) == {each["id"] for each in places}


def test_a_group_is_an_identity_and_what_is_nowhere_has_no_place() -> None:
    found = check(render([alert(1, unit="ttp")], INFO))
    group = next(each for each in found["identity"] if each["identity_class"] == "group")
    assert found["report"][0]["object_refs"] == [group["id"]]
    found = check(render([alert(1, unit="unplaced")], INFO))
    (us,) = found["identity"]
    assert found["report"][0]["object_refs"] == [us["id"]]


def test_every_unit_can_be_told_of() -> None:
    found = check(render([alert(n, unit=unit) for n, unit in enumerate(ALL_UNITS)], INFO))
    assert len(found["report"]) == min(len(ALL_UNITS), 200)


def test_ids_belong_to_the_installation() -> None:
    one, other = (render(STORY, info(source=each)) for each in ("urn:a", "urn:b"))
    ids = [{each["id"] for each in json.loads(document)["objects"]} for document in (one, other)]
    (marking,) = ids[0] & ids[1]
    assert marking.startswith("marking-definition--")
    assert json.loads(one)["id"] != json.loads(other)["id"]


def test_a_bundle_without_alerts_is_valid() -> None:
    assert check(render([], INFO)).keys() == {"identity", "marking-definition"}
