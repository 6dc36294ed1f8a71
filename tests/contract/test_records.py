"""What was once written stays readable: golden examples and golden schemas of every record.

`UPDATE_GOLDEN=1 pytest tests/contract/test_records.py` rewrites both.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.records import Record
from streams.codecs import TYPES, decoder, encode, schema
from tests.schema_compatibility import breaks
from tests.wire_examples import EXAMPLES

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"

every = pytest.mark.parametrize("type_", TYPES, ids=lambda t: str(t.__struct_config__.tag))
examples = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: _tag(type(e)))


def _tag(type_: type[Record]) -> str:
    return str(type_.__struct_config__.tag)


def _golden(folder: str, tag: str, current: bytes) -> bytes:
    """Return a golden file; write it first, when asked to."""
    path = GOLDEN / folder / f"{tag}.json"
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(current)
    return path.read_bytes()


def _pretty(raw: Any) -> bytes:
    return json.dumps(raw, indent=2, ensure_ascii=False).encode() + b"\n"


def test_every_record_has_one_example() -> None:
    assert [type(example) for example in EXAMPLES] == list(TYPES)


def _empty(value: Any, at: str) -> list[str]:
    if isinstance(value, msgspec.Struct):
        return [
            found
            for name in value.__struct_fields__
            for found in _empty(getattr(value, name), f"{at}.{name}")
        ]
    if isinstance(value, tuple):
        return [at] if not value else [f for each in value for f in _empty(each, f"{at}[]")]
    return [at] if value is None or value == "" else []


@examples
def test_an_example_fills_every_field(example: Record) -> None:
    assert _empty(example, type(example).__name__) == []


@examples
def test_the_golden_example_still_reads_and_writes_the_same(example: Record) -> None:
    value = _golden("wire", _tag(type(example)), encode(example))
    again = decoder(type(example))(value)
    assert again == example
    assert encode(again) == value


@every
def test_the_schema_still_reads_all_that_was_written(type_: type[Record]) -> None:
    current = schema(type_)
    golden = json.loads(_golden("schema", _tag(type_), _pretty(current)))
    assert breaks(golden, current) == []


@every
def test_a_tag_is_a_name_and_a_version(type_: type[Record]) -> None:
    name, _, version = _tag(type_).rpartition(".")
    assert name.replace("-", "").isalpha()
    assert version.startswith("v")
    assert version[1:].isdigit()


def test_no_golden_file_is_left_over() -> None:
    tags = {f"{_tag(type_)}.json" for type_ in TYPES}
    for folder in ("wire", "schema"):
        assert {path.name for path in (GOLDEN / folder).iterdir()} == tags


ALERT = next(schema(type_) for type_ in TYPES if _tag(type_) == "alert.v1")


def _part(raw: dict[str, Any], name: str = "Alert") -> dict[str, Any]:
    found: dict[str, Any] = raw["$defs"][name]
    return found


def _field(raw: dict[str, Any], field: str, name: str = "Alert") -> dict[str, Any]:
    found: dict[str, Any] = _part(raw, name)["properties"][field]
    return found


def _replace(field: str, by: dict[str, Any], part: str = "Alert") -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        _part(raw, part)["properties"][field] = by

    return change


def _require(field: str) -> Callable[[Any], None]:
    return lambda raw: _part(raw)["required"].append(field)


def _remove(field: str, part: str = "Alert") -> Callable[[Any], None]:
    return lambda raw: _part(raw, part)["properties"].pop(field)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(_remove("note"), "Alert.note: removed", id="a field is removed"),
        pytest.param(
            _remove("count", "Resolver"),
            "Resolver.count: removed",
            id="a field of a part is removed",
        ),
        pytest.param(_require("note"), "Alert.note: now required", id="a field becomes required"),
        pytest.param(_require("new"), "Alert.new: now required", id="a new field is required"),
        pytest.param(_replace("type", {"enum": ["alert.v2"]}), "'alert.v1'", id="the tag changes"),
        pytest.param(
            _replace("severity", {"enum": ["watch", "warning"]}),
            "'critical'",
            id="a word is dropped",
        ),
        pytest.param(
            _replace("reason", {"enum": ["usual"]}), "some values", id="any text becomes some words"
        ),
        pytest.param(_replace("changed", {"type": "integer"}), "was string", id="the type changes"),
        pytest.param(
            _replace("coverage_share", {"type": "integer"}),
            "was number",
            id="a number must be whole",
        ),
        pytest.param(_replace("p", {"type": "number"}), "null", id="null is no longer accepted"),
        pytest.param(
            _replace(
                "p", {"anyOf": [{"type": "number", "minimum": 0, "maximum": 0.5}, {"type": "null"}]}
            ),
            "number",
            id="a bound of a choice narrows",
        ),
        pytest.param(
            _replace("coverage_share", {"type": "number", "minimum": 0.1, "maximum": 1.0}),
            "minimum",
            id="a lower bound rises",
        ),
        pytest.param(
            _replace("id", {"type": "string", "minLength": 1, "maxLength": 20}),
            "maxLength",
            id="a text must be shorter",
        ),
        pytest.param(
            _replace("changed", {"type": "string", "pattern": "^a"}),
            "pattern",
            id="a pattern is asked for",
        ),
        pytest.param(
            _replace("daily", {"type": "array", "items": {"type": "string"}}),
            "Alert.daily[]",
            id="the items change",
        ),
        pytest.param(
            _replace("evidence", {"type": "array", "items": {"$ref": "#/$defs/Claim"}}),
            "removed",
            id="the items are other parts",
        ),
        pytest.param(
            _replace("outcome", {"$ref": "#/$defs/Outcome"}),
            "null",
            id="a part is no longer optional",
        ),
    ],
)
def test_an_incompatible_schema_is_told(change: Callable[[Any], None], told: str) -> None:
    newer = copy.deepcopy(ALERT)
    change(newer)
    assert any(told in found for found in breaks(ALERT, newer)), breaks(ALERT, newer)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: None, id="nothing"),
        pytest.param(
            _replace("colour", {"type": "string", "default": ""}), id="a new optional field"
        ),
        pytest.param(
            _replace("severity", {"enum": ["watch", "warning", "critical", "grave"]}),
            id="a new word",
        ),
        pytest.param(_replace("severity", {"type": "string"}), id="any text instead of some words"),
        pytest.param(
            _replace("observed", {"anyOf": [{"type": "number"}, {"type": "null"}]}),
            id="fractions are accepted",
        ),
        pytest.param(
            _replace("revision", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            id="null is accepted",
        ),
        pytest.param(_replace("coverage_share", {"type": "number"}), id="a bound is dropped"),
        pytest.param(lambda raw: _part(raw)["required"].remove("p"), id="a field becomes optional"),
        pytest.param(lambda raw: _part(raw).update(description="other words"), id="a description"),
    ],
)
def test_a_compatible_extension_is_accepted(change: Callable[[Any], None]) -> None:
    newer = copy.deepcopy(ALERT)
    change(newer)
    assert breaks(ALERT, newer) == []


def test_a_reader_of_today_refuses_fields_of_tomorrow() -> None:
    """Fields are added by a new version: `forbid_unknown_fields` makes old readers say so."""
    assert all(part["additionalProperties"] is False for part in ALERT["$defs"].values())
