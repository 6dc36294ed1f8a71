"""The AsyncAPI document: valid by its standard, and true to the topics and records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from detectors.records import Alert
from streams import topics
from streams.asyncapi import document
from streams.codecs import TYPES, encode, tag_of
from tests.alert_records import alert
from tests.filled_store import tocsin

STANDARD = Path(__file__).parents[1] / "golden/standards/asyncapi-3.0.0.json"
DOCUMENT = document("tocsin", 4)


@pytest.fixture(scope="module")
def standard() -> Draft7Validator:
    return Draft7Validator(json.loads(STANDARD.read_bytes()))


def test_it_is_valid(standard: Draft7Validator) -> None:
    assert [error.message for error in standard.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("operations", "receive-alerts.v1", "action"), "publish"),
        (("channels", "alerts.v1", "address"), 7),
        (("asyncapi",), "2.6.0"),
    ],
)
def test_the_standard_refuses_what_is_wrong(
    standard: Draft7Validator, where: tuple[str, ...], value: Any
) -> None:
    wrong: Any = json.loads(msgspec.json.encode(DOCUMENT))
    inner = wrong
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    assert not standard.is_valid(wrong)


def test_every_topic_of_records_is_told_and_none_of_bytes() -> None:
    told = {channel["address"] for channel in DOCUMENT["channels"].values()}
    public = [topic for topic in topics.TOPICS if bytes not in topic.values]
    assert told == {topics.full_name("tocsin", topic) for topic in public}
    assert set(DOCUMENT["components"]["messages"]) == set(map(tag_of, TYPES))


def test_an_alert_fits_the_schema_that_is_told() -> None:
    payload = DOCUMENT["components"]["messages"]["alert.v1"]["payload"]
    whole = Draft7Validator({**payload, "components": DOCUMENT["components"]})
    assert whole.is_valid(json.loads(encode(alert())))
    assert not whole.is_valid(json.loads(encode(alert())) | {"severity": "grave"})
    assert payload["$ref"].endswith(f"/{Alert.__name__}")


def test_the_command_prints_it() -> None:
    told = json.loads(msgspec.json.encode(document()))
    assert json.loads(tocsin("schema", "--asyncapi").stdout) == told
