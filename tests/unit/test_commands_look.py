"""The commands that look into the store, on a store filled with the bundled scenario."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from detectors.index import words as in_words
from detectors.records import Index, Report, Severity
from detectors.signals import SIGNALS
from detectors.signals.counting import REMARKABLE
from detectors.world.units import UNITS, of_kind
from streams.commands.acting import command_time
from streams.exposition import serve
from streams.store import Store
from streams.wording import DISCLAIMER, number
from tests.alert_records import alert
from tests.filled_store import answer, filled, scenario, tocsin  # noqa: F401 - a fixture


@pytest.fixture
def ids(filled: Path) -> list[str]:  # noqa: F811 - the fixture
    with Store(f"sqlite:///{filled / 'store.sqlite'}") as store:
        return [each.id for each in store.alerts()]


# Status


def test_status_tells_time_units_sources_and_progress(filled: Path) -> None:  # noqa: F811
    found = answer("status", data=filled)
    assert datetime.fromisoformat(found["stream_time"]) == scenario()[-1].time  # type: ignore[union-attr]
    assert sum(len(units) for units in found["units"].values()) == 43
    assert len(found["sources"]) == 11
    assert sum(sum(by.values()) for by in found["alerts"].values()) == found["rows"]["alerts"] > 0
    assert found["progress"]["tocsin.reports.v1"] == {"0": len(scenario())}


def test_status_has_units_of_the_kinds_asked_for(filled: Path) -> None:  # noqa: F811
    found = answer("status", "--kind", "border", "--kind", "dyad", data=filled)["units"]
    codes = [code for units in found.values() for code in units]
    assert sorted(codes) == sorted(unit.code for unit in of_kind("border", "dyad"))


def test_a_kind_of_units_that_there_is_not_is_told(filled: Path) -> None:  # noqa: F811
    found = tocsin("status", "--kind", "town", data=filled)
    assert found.exit_code == 2
    assert "there are admin1, country, border, dyad, actor" in found.stderr


def test_status_in_words_has_the_same(filled: Path) -> None:  # noqa: F811
    found = tocsin("status", data=filled)
    assert found.exit_code == 0
    for words in ("Stream time: 2020-07-0", "kabul-lantern", "Units by coverage", "tocsin.alerts"):
        assert words in found.stdout
    assert "\x1b" not in found.stdout


def test_status_has_the_index_of_each_area_as_last_scored(filled: Path) -> None:  # noqa: F811
    found = answer("status", data=filled)["instability"]
    assert list(found) == [unit.code for unit in of_kind("admin1", "country")]
    with Store(f"sqlite:///{filled / 'store.sqlite'}") as store:
        last = {
            score.unit: score
            for score in store.scores()
            if (score.signal, score.direction) == ("S0", "rise")
        }
    told = 0
    for code, each in found.items():
        assert msgspec.convert(each["index"], Index | None) == last[code].index
        assert datetime.fromisoformat(each["at"]) == last[code].at
        told += each["index"] is not None
    assert told > 30


def test_status_in_words_says_once_that_the_index_is_untrained(filled: Path) -> None:  # noqa: F811
    found = tocsin("status", data=filled).stdout
    kabul = answer("status", data=filled)["instability"]["AF-KAB"]["index"]
    shares = [f"{100 * kabul[name]:.0f}" for name in ("probability", "low", "high")]
    (row,) = [line for line in found.splitlines() if line.startswith("AF-KAB ")]
    assert "{} ({} to {})".format(*shares) in row
    assert found.count("untrained") == 1


def test_status_of_units_that_are_no_areas_has_no_index(filled: Path) -> None:  # noqa: F811
    assert answer("status", "--kind", "border", data=filled)["instability"] == {}
    found = tocsin("status", "--kind", "border", data=filled)
    assert "Instability" not in found.stdout


@pytest.mark.parametrize(
    "command",
    [("status",), ("alerts", "list"), ("alerts", "show", "x"), ("explain", "x"), ("ledger",)],
    ids=" ".join,
)
def test_without_a_store_the_mend_is_named_and_none_is_made(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    found = tocsin(*command, data=tmp_path / "none")
    assert found.exit_code == 1
    assert "run tocsin demo or tocsin run first" in found.stderr
    assert not (tmp_path / "none").exists()


def test_a_store_of_another_version_is_not_touched(tmp_path: Path) -> None:
    address = tmp_path / "store.sqlite"
    with Store(f"sqlite:///{address}"):
        pass
    with sqlite3.connect(address) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'schema_version'")
    found = tocsin("status", data=tmp_path)
    assert found.exit_code == 1
    assert "version 0" in found.stderr
    with sqlite3.connect(address) as connection:
        query = "SELECT value FROM meta WHERE name = 'schema_version'"
        assert connection.execute(query).fetchone() == ("0",)


def test_an_empty_store_is_called_empty(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}"):
        pass
    found = tocsin("status", data=tmp_path)
    assert found.exit_code == 1
    assert "Stream time: unknown" in found.stdout
    assert "the store is empty" in found.stderr


def test_what_is_no_store_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"not a database, but long enough to be read as one")
    found = tocsin("status", data=tmp_path)
    assert found.exit_code == 1
    assert found.stderr.count("\n") == 1
    assert "not a database" in found.stderr


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        pytest.param(None, 0, "healthy", id="a worker that answers ok is healthy"),
        pytest.param("stuck", 1, "stuck", id="a worker that says why not is unhealthy"),
    ],
)
def test_health_is_what_the_worker_says(reason: str | None, code: int, words: str) -> None:
    with serve(CollectorRegistry(), healthy=lambda: reason) as server:
        found = tocsin("status", "--health", TOCSIN_WORKER_METRICS_PORT=str(server.port))
    assert found.exit_code == code
    assert words in found.stdout


def test_no_worker_is_unhealthy() -> None:
    with serve(CollectorRegistry()) as server:
        port = str(server.port)
    found = tocsin("status", "--health", "--json", TOCSIN_WORKER_METRICS_PORT=port)
    assert found.exit_code == 1
    assert json.loads(found.stdout)["healthy"] is False


def test_a_port_that_only_the_worker_knows_cannot_be_asked() -> None:
    found = tocsin("status", "--health", TOCSIN_WORKER_METRICS_PORT="0")
    assert found.exit_code == 2
    assert "metrics_port" in found.stderr


# Alerts


def rests_on(alert: dict[str, Any]) -> set[str]:
    parts = (p["signal"] for p in alert.get("parts", ()) if p["strength"] >= REMARKABLE)
    return {alert["signal"], *parts}


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        pytest.param(["--unit", "AF-KAB"], lambda a: a["unit"] == "AF-KAB", id="a unit by code"),
        pytest.param(["--unit", "kabul"], lambda a: a["unit"] == "AF-KAB", id="a unit by name"),
        pytest.param(["--unit", "AFG"], lambda a: a["unit"][:2] == "AF", id="a country"),
        pytest.param(["--state", "resolved"], lambda a: a["state"] == "resolved", id="a state"),
        pytest.param(["--signal", "s1"], lambda a: "S1" in rests_on(a), id="a signal"),
        pytest.param(["--signal", "S14"], lambda a: "S14" in rests_on(a), id="a lesser signal"),
        pytest.param(["--since", "2020-06-15"], lambda a: a["at"] >= "2020-06-15", id="a day"),
        pytest.param(["--since", "14d"], lambda a: a["at"] >= "2020-06-20T08", id="two weeks"),
    ],
)
def test_alerts_are_chosen_by(
    options: list[str],
    holds: Callable[[Any], bool],
    filled: Path,  # noqa: F811
) -> None:
    every = answer("alerts", "list", data=filled)
    chosen = answer("alerts", "list", *options, data=filled)
    assert chosen == [each for each in every if holds(each)]
    assert chosen


@pytest.mark.parametrize(("least", "count"), [("watch", 3), ("warning", 2), ("critical", 1)])
def test_alerts_are_chosen_by_the_least_severity(least: str, count: int, tmp_path: Path) -> None:
    raised = [alert(n, severity=each) for n, each in enumerate(get_args(Severity), 1)]
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.apply("t", [(0, offset, each) for offset, each in enumerate(raised)])
    found = answer("alerts", "list", "--severity", least, data=tmp_path)
    assert {each["severity"] for each in found} == set(get_args(Severity)[-count:])


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        pytest.param(["--since", "2031-01-01"], 1, "no alert matches", id="nothing is found"),
        pytest.param(["--since", "lately"], 2, "2020-03-01", id="no time"),
        pytest.param(["--unit", "Kandhar"], 2, "did you mean Kandahar", id="a misspelt unit"),
        pytest.param(["--state", "opened"], 2, "did you mean open", id="a misspelt state"),
        pytest.param(["--signal", "S99"], 2, "did you mean S9", id="an unknown signal"),
    ],
)
def test_a_choice_that_cannot_be_made_is_told(
    options: list[str],
    code: int,
    words: str,
    filled: Path,  # noqa: F811
) -> None:
    found = tocsin("alerts", "list", *options, data=filled)
    assert found.exit_code == code
    assert words in found.stderr
    assert not found.stdout


def test_an_alert_is_found_by_a_unique_beginning(ids: list[str], filled: Path) -> None:  # noqa: F811
    for id in ids:
        assert answer("alerts", "show", id.lower()[:-1], data=filled)["id"] == id


def test_a_beginning_of_several_and_of_none_names_some(
    ids: list[str],
    filled: Path,  # noqa: F811
) -> None:
    several = tocsin("alerts", "show", "S1-rise", data=filled)
    assert several.exit_code == 2
    assert f"begins {sum(id.startswith('S1-rise') for id in ids)} ids" in several.stderr
    none = tocsin("alerts", "show", ids[0].replace("S1", "S7"), data=filled)
    assert none.exit_code == 1
    assert f"did you mean {ids[0]}" in none.stderr


def test_the_list_names_the_leading_signals_with_their_nats(filled: Path) -> None:  # noqa: F811
    rows = tocsin("alerts", "list", data=filled).stdout.splitlines()
    several = [a for a in answer("alerts", "list", data=filled) if len(a.get("parts", ())) > 1]
    assert several
    for each in several:
        (row,) = [line for line in rows if line.startswith(f"{each['id']} ")]
        first = each["parts"][0]
        assert f"{first['signal']} {number(first['strength'])}, " in row


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        pytest.param(
            NOW - timedelta(days=900), NOW - timedelta(days=900, seconds=-60), id="replay"
        ),
        pytest.param(NOW - timedelta(seconds=5), NOW, id="live: never ahead of the clock"),
        pytest.param(None, NOW, id="nothing known yet"),
    ],
)
def test_a_command_is_made_in_stream_time(newest: datetime | None, expected: datetime) -> None:
    assert command_time(newest, 60, NOW) == expected


def test_what_is_over_cannot_be_acknowledged(filled: Path) -> None:  # noqa: F811
    over = answer("alerts", "list", "--state", "resolved", data=filled)[0]["id"]
    found = tocsin("alerts", "ack", over, "--by", "desk", data=filled)
    assert found.exit_code == 1
    assert "nothing left to acknowledge" in found.stderr


# Explain


def test_evidence_leads_to_the_very_report_in_kafka(ids: list[str], filled: Path) -> None:  # noqa: F811
    records = scenario()
    reports = 0
    for id in ids:
        told = answer("explain", id, data=filled)
        for item in told["evidence"]:
            events = {event["report"]: event for event in item.get("events", ())}
            for report in item.get("reports", ()):
                original = records[report["offset"]]
                assert isinstance(original, Report)
                assert (original.id, original.source) == (report["id"], report["source"])
                quote = events[report["id"]].get("quote", "")
                assert " ".join(quote.split()) in " ".join(
                    f"{original.title} {original.text}".split()
                )
                reports += 1
    assert reports > 100


def test_the_account_is_whole(ids: list[str], filled: Path) -> None:  # noqa: F811
    for id in ids:
        told = answer("explain", id, data=filled)
        assert [each["revision"] for each in told["changes"]] == list(range(len(told["revisions"])))
        assert told["disclaimer"] == DISCLAIMER
        assert told["settlement"].startswith("Settled on")
        assert told["coverage"][0]["at"] == told["alert"]["opened_at"]
        incidents = {i["id"] for r in told["revisions"] for i in r.get("evidence", ())}
        assert {each["incident"]["id"] for each in told["evidence"]} == incidents
        outcome = told["alert"].get("outcome")
        if outcome and outcome["verdict"] != "HIT":
            assert any(outcome["verdict"] in text for text in told["against"])
        if any(each["coverage"] != "ok" for each in told["revisions"]):
            assert any("Coverage was" in text for text in told["against"])


def test_only_what_was_known_at_opening_counts_as_track(ids: list[str], filled: Path) -> None:  # noqa: F811
    tracks = {id: answer("explain", id, data=filled)["track"] for id in ids}
    first = min(ids, key=lambda id: id.rpartition("-")[2])
    assert tracks[first] == {"settled": 0, "hits": 0, "void": 0, "interval": None}
    assert max(track["settled"] for track in tracks.values()) > 5


def test_the_explanation_in_words_answers_the_five_questions(
    ids: list[str],
    filled: Path,  # noqa: F811
) -> None:
    told = tocsin("explain", ids[-1], data=filled)
    assert told.exit_code == 0
    for words in (
        "What changed, and where",
        "How sure",
        "What it is based on",
        "What would prove it wrong",
        "What it could see",
        "What speaks against it",
        "Its revisions",
        DISCLAIMER,
    ):
        assert words in told.stdout


def test_the_explanation_has_the_index_and_a_line_for_each_part(
    ids: list[str],
    filled: Path,  # noqa: F811
) -> None:
    areas = faded = 0
    for id in ids[::4]:  # each takes a while
        told, said = answer("explain", id, data=filled), tocsin("explain", id, data=filled).stdout
        is_area = UNITS[told["alert"]["unit"]].is_area
        assert ("Instability index" in said) == is_area == (told["instability"] is not None)
        if is_area:
            index = msgspec.convert(told["instability"]["index"], Index)
            lines = [f"{each.log_odds:+.2f} from {each.name} " for each in index.factors]
            assert [line for line in (in_words(index), *lines) if line not in said] == []
            areas += 1
        now, first = told["alert"].get("parts", []), told["revisions"][0].get("parts", [])
        assert [part for part in now or first if _of_part(part) not in said] == []
        assert ("when it opened, these did" in said) == (not now and bool(first))
        faded += not now and bool(first)
    assert areas > 3
    assert faded


def _of_part(part: dict[str, Any]) -> str:
    title = f"{part['signal']} {SIGNALS[part['signal']].title}"
    seen, usual = part["observed"], number(part["expected"])
    return f"{title}: {part['strength']:+.1f} nats; seen {seen}, expected {usual}"


@pytest.mark.parametrize("command", [("explain",), ("alerts", "show")], ids=" ".join)
def test_a_plot_is_drawn_beside_the_answer(
    command: tuple[str, ...],
    ids: list[str],
    filled: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    picture = tmp_path / "alert.png"
    found = tocsin(*command, ids[0], "--plot", str(picture), "--json", data=filled)
    assert found.exit_code == 0
    assert json.loads(found.stdout)
    assert str(picture) in found.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("file", "words"),
    [("alert.gif", ".png or .svg"), ("none/alert.png", "No such file")],
    ids=["another format", "a folder that is not there"],
)
def test_a_plot_that_cannot_be_drawn_is_told(
    file: str,
    words: str,
    ids: list[str],
    filled: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    found = tocsin("explain", ids[0], "--plot", str(tmp_path / file), data=filled)
    assert found.exit_code == 2
    assert words in found.stderr
