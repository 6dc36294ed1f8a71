"""Records that rows state by codes: CAMEO's, FIPS's, and PLOVER's own words."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from detectors.coding import code
from detectors.records import IncidentRecord, Interval, Report
from streams.sources import Fetcher, Reject, Replayable, Runtime, SourceConfigError, build
from streams.sources.mapping import identity
from tests.feed_server import FakeClock


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    clock = FakeClock()
    async with Fetcher(clock) as fetcher:
        yield Runtime(clock, fetcher, tmp_path / "state")


def replayed(runtime: Runtime, path: Path, **settings: Any) -> list[Report | Reject]:
    source = build({"name": "demo", **settings, "path": path}, runtime)
    assert isinstance(source, Replayable)
    return list(source.read(path))


GDELT = Path(__file__).resolve().parents[3] / "shared" / "data" / "gdelt" / "rd_events.csv"
#: GDELT's published columns (1.0, 58 of them).
_GEO = ("Type", "FullName", "CountryCode", "ADM1Code", "Lat", "Long", "FeatureID")
_ACTOR = (
    "Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code",
    "Religion2Code", "Type1Code", "Type2Code", "Type3Code",
)  # fmt: skip
COLUMNS = (
    "GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate",
    *(f"Actor1{name}" for name in _ACTOR), *(f"Actor2{name}" for name in _ACTOR),
    "IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale",
    "NumMentions", "NumSources", "NumArticles", "AvgTone",
    *(f"{who}Geo_{name}" for who in ("Actor1", "Actor2", "Action") for name in _GEO),
    "DATEADDED", "SOURCEURL",
)  # fmt: skip
README = Path(__file__).resolve().parents[2] / "streams" / "sources" / "README.md"


def worked_example() -> dict[str, Any]:
    """The configuration of GDELT that the README of sources shows."""
    blocks = README.read_text(encoding="utf-8").split("```toml\n")[1:]
    (block,) = [b.partition("```")[0] for b in blocks if 'name = "gdelt"' in b]
    (source,) = tomllib.loads(block)["sources"]
    return dict(source)


def gdelt(runtime: Runtime, path: Path, rows: list[dict[str, str]]) -> list[Report | Reject]:
    """Rows as GDELT gives them, read as the README says."""
    lines = [
        "\t".join(COLUMNS),
        *("\t".join(row.get(name, "") for name in COLUMNS) for row in rows),
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    settings = {k: v for k, v in worked_example().items() if k != "path"}
    return replayed(runtime, path, **settings)


def a_row(**cells: str) -> dict[str, str]:
    return {
        "GLOBALEVENTID": "1", "SQLDATE": "20240101", "EventCode": "141", "DATEADDED": "20240102",
        "ActionGeo_CountryCode": "PK", "ActionGeo_ADM1Code": "PK02",
        "SOURCEURL": "https://example.org/1",
    } | cells  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        pytest.param({}, ("PROTEST", "demo", (), "PK-BA"), id="type and mode"),
        pytest.param(
            {"EventCode": "175"}, ("ASSAULT", None, ("military", "pro_autocracy"), "PK-BA"),
            id="contexts, sorted",
        ),
        pytest.param(
            {"EventCode": "1939"}, ("ASSAULT", "firearms", ("military",), "PK-BA"), id="a parent"
        ),
        pytest.param({"EventCode": "010"}, "unmapped_value", id="a statement has no type"),
        pytest.param({"EventCode": "02"}, "unmapped_value", id="nor has an appeal"),
        pytest.param({"EventCode": "1b"}, "unmapped_value", id="no code at all"),
        pytest.param({"EventCode": ""}, "missing_value", id="no code given"),
        pytest.param(
            {"ActionGeo_ADM1Code": "PK"}, ("PROTEST", "demo", (), None), id="the country alone"
        ),
        pytest.param(
            {"ActionGeo_ADM1Code": "PK00"}, ("PROTEST", "demo", (), None), id="province unknown"
        ),
        pytest.param(
            {"ActionGeo_CountryCode": "AF", "ActionGeo_ADM1Code": "AF13"},
            ("PROTEST", "demo", (), "AF-KAB"), id="Kabul",
        ),
        pytest.param(
            {"ActionGeo_ADM1Code": "PK01"}, ("PROTEST", "demo", (), "PK-KP"), id="out of use"
        ),
        pytest.param({"ActionGeo_ADM1Code": "PK99"}, "unmapped_value", id="no such province"),
        pytest.param({"ActionGeo_ADM1Code": "USDC"}, "unmapped_value", id="elsewhere"),
        pytest.param({"ActionGeo_CountryCode": "US"}, "unmapped_value", id="another country"),
        pytest.param({"SQLDATE": "20241301"}, "bad_time", id="no such day"),
    ],
)  # fmt: skip
async def test_cameo_and_fips_codes_are_read_or_refused_with_a_reason(
    tmp_path: Path, runtime: Runtime, cells: dict[str, str], outcome: object
) -> None:
    (item,) = gdelt(runtime, tmp_path / "gdelt.tsv", [a_row(**cells)])
    if isinstance(item, Reject):
        assert item.reason == outcome, item
        return
    record = item.record
    assert record is not None
    assert (record.event, record.mode, record.contexts, record.admin1) == outcome
    assert (str(record.occurred.start), item.url) == ("2024-01-01", "https://example.org/1")


async def test_a_refused_code_names_itself(tmp_path: Path, runtime: Runtime) -> None:
    (item,) = gdelt(runtime, tmp_path / "gdelt.tsv", [a_row(EventCode="010")])
    assert isinstance(item, Reject)
    assert "'010'" in item.detail
    assert item.line == 2


@pytest.mark.skipif(not GDELT.exists(), reason="needs the shared data set GDELT (rd_events.csv)")
async def test_rows_of_gdelt_become_events_here(tmp_path: Path, runtime: Runtime) -> None:
    lines = GDELT.read_text(encoding="utf-8").splitlines()
    every = [dict(zip(COLUMNS, line.split("\t"), strict=False)) for line in lines]
    rows = [row for row in every if row["ActionGeo_CountryCode"] in ("AF", "PK")]
    assert len(rows) > 15
    items = gdelt(runtime, tmp_path / "gdelt.tsv", rows)
    assert len(items) == len(rows)
    reports = [item for item in items if isinstance(item, Report)]
    refused = [item for item in items if isinstance(item, Reject)]
    spoken = [row for row in rows if row["EventCode"][:2] in ("01", "02")]
    assert len(refused) == len(spoken) > 0
    assert {item.reason for item in refused} == {"unmapped_value"}
    for report, coded in zip(reports, code(reports), strict=True):
        record = report.record
        assert record is not None
        assert record.country in ("AFG", "PAK")
        assert [event.unit for event in coded.events][-1] == record.country
        assert {(e.event, e.mode, e.contexts) for e in coded.events} == {
            (record.event, record.mode, record.contexts)
        }


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"code": "031"}, ("AGREE", None, ("diplomatic",))),
        ({"code": "031", "how": "visit", "why": "Economic; disease"},
         ("AGREE", "visit", ("diplomatic", "economic", "health"))),
        ({"code": "031", "why": "economic;sport"}, "unmapped_value"),
        ({"code": 31}, "bad_value"),
        ({"code": ["031"]}, "bad_value"),
    ],
    ids=["by code", "with their own", "no context", "a number", "a list"],
)  # fmt: skip
async def test_json_rows_may_give_codes_modes_and_contexts(
    tmp_path: Path, runtime: Runtime, row: dict[str, Any], outcome: object
) -> None:
    path = tmp_path / "coded.jsonl"
    path.write_text(json.dumps({"day": "2024-01-01", **row}) + "\n")
    mapping = {
        "title": {"const": "coded"}, "seen_at": "day",
        "record": {
            "cameo": "code", "mode": "how", "contexts": {"path": "why", "split": ";"},
            "start": "day",
        },
    }  # fmt: skip
    (item,) = replayed(runtime, path, kind="jsonl", mapping=mapping)
    if isinstance(item, Reject):
        assert item.reason == outcome, item
        return
    assert item.record is not None
    assert (item.record.event, item.record.mode, item.record.contexts) == outcome


@pytest.mark.parametrize("given", [{}, {"event": "type", "cameo": "code"}])
async def test_a_record_has_a_type_or_a_code(
    tmp_path: Path, runtime: Runtime, given: dict[str, str]
) -> None:
    mapping = {"title": "t", "record": {"start": "day", **given}}
    with pytest.raises(SourceConfigError, match="either event or cameo"):
        replayed(runtime, tmp_path / "x", kind="jsonl", mapping=mapping)


def test_a_record_without_the_newer_fields_keeps_its_identity() -> None:
    """Ids of reports are made of it: a row that was stored must not come back as another."""
    day = Interval(date(2024, 1, 1), date(2024, 1, 2))
    assert identity(IncidentRecord("PROTEST", day, place="x, mode=None, contexts=())")) == (
        "IncidentRecord(event='PROTEST', occurred=Interval(start=datetime.date(2024, 1, 1), "
        "end=datetime.date(2024, 1, 2)), country=None, admin1=None, "
        "place='x, mode=None, contexts=())', precision=None, actors=(), killed=None, "
        "injured=None, civilians_killed=None)"
    )
    told = {
        identity(IncidentRecord("PROTEST", day, mode=mode, contexts=contexts))
        for mode in (None, "demo")
        for contexts in ((), ("economic",))
    }
    assert len(told) == 4
