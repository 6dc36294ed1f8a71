"""The projection, on SQLite and on PostgreSQL: what is applied is what is answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, select, text

from detectors.records import UNPLACED, Command, Heartbeat, Part, Record, Tick
from streams.sinks import wants
from streams.store import Store, schema
from streams.store.engine import open_engine
from tests.alert_records import (
    OPENED,
    alert,
    delivery,
    event,
    health,
    report,
    score,
    subscription,
)
from tests.postgres import new_database, postgresql_server  # noqa: F401 - a fixture

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'store.db'}"
    return new_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with Store(address, evidence_days=30) as opened:
        yield opened


def fill(store: Store, *records: Record, topic: str = "t", start: int = 0) -> None:
    store.apply(topic, [(0, start + i, each) for i, each in enumerate(records)])


def dump(address: str, tables: Sequence[Any] = schema.METADATA.sorted_tables) -> dict[str, Any]:
    """Every row of every table, in one order."""
    engine = open_engine(address)
    with engine.connect() as connection:
        found = {each.name: sorted(map(repr, connection.execute(select(each)))) for each in tables}
    engine.dispose()
    return found


# Alerts


def test_an_alert_is_its_last_revision_and_all_revisions_are_kept(store: Store) -> None:
    story = [alert(1, 0), alert(1, 1, state="acknowledged"), alert(1, 2, state="resolved")]
    fill(store, *story)
    assert store.alert(story[0].id) == story[2]
    assert store.revisions(story[0].id) == story
    assert store.alerts() == [story[2]]
    assert store.alert("no such alert") is None
    assert store.revisions("no such alert") == []


def test_a_late_earlier_revision_does_not_become_the_alert(store: Store) -> None:
    fill(store, alert(1, 1))
    fill(store, alert(1, 0), start=1)
    assert store.alert(alert(1).id) == alert(1, 1)
    assert [each.revision for each in store.revisions(alert(1).id)] == [0, 1]


OLD = alert(1, unit="AF-HEL")
FROZEN = alert(2, state="frozen", coverage="dark")
NEW = alert(3, signal="border-closure", parts=(Part("S1", 3.2, 9, 2.0, ""),))
NOWHERE = alert(4, unit=UNPLACED)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({}, [NEW, FROZEN, OLD], id="all of them, the ones changed last first"),
        pytest.param({"unit": "AF-HEL"}, [OLD], id="of a unit"),
        pytest.param({"unit": "AFG"}, [], id="of a country, which is a unit of its own"),
        pytest.param({"signal": "border-closure"}, [NEW], id="of a signal"),
        pytest.param({"state": "frozen"}, [FROZEN], id="in a state"),
        pytest.param({"state": ("open", "frozen")}, [NEW, FROZEN, OLD], id="in one of two states"),
        pytest.param({"state": ()}, [], id="in none of no states"),
        pytest.param({"since": FROZEN.at}, [NEW, FROZEN], id="changed at an instant or after"),
        pytest.param({"unit": "nul \x00"}, [], id="of a unit that no database can hold"),
    ],
)
def test_alerts_are_found_by(store: Store, wanted: dict[str, Any], expected: list[Any]) -> None:
    fill(store, OLD, FROZEN, NEW)
    assert store.alerts(**wanted) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [NEW, FROZEN, OLD], id="everything"),
        pytest.param({"units": ("AFG",)}, [NEW, FROZEN, OLD], id="a country and its provinces"),
        pytest.param({"units": ("PAK",)}, [], id="another country"),
        pytest.param({"units": ("AF-HEL", "PK-KP")}, [OLD], id="two provinces"),
        pytest.param({"signals": ("border-closure",)}, [NEW], id="one signal"),
        pytest.param({"signals": ("S1",)}, [NEW], id="a signal that is part of it"),
        pytest.param({"signals": ("S1", "violence-burst")}, [NEW, FROZEN, OLD], id="two signals"),
        pytest.param({"signals": ("s1",)}, [], id="a signal is told from one in other letters"),
        pytest.param({"signals": ("border%",)}, [], id="no pattern"),
        pytest.param({"signals": ("S",)}, [], id="no beginning of a name"),
        pytest.param({"minimum_severity": "critical"}, [], id="only what is critical"),
        pytest.param({"minimum_probability": 0.34}, [NEW, FROZEN, OLD], id="just so probable"),
        pytest.param({"minimum_probability": 0.35}, [], id="more probable"),
        pytest.param({"directions": ("fall",)}, [], id="the other direction"),
        pytest.param({"directions": ("fall", "rise")}, [NEW, FROZEN, OLD], id="both directions"),
        pytest.param({"unplaced": True}, [NOWHERE, NEW, FROZEN, OLD], id="without a unit too"),
        pytest.param(
            {"unplaced": True, "units": ("AF-HEL",)}, [OLD], id="a unit is none that is unknown"
        ),
    ],
)
def test_a_subscription_has_the_alerts_it_wants(
    store: Store, changes: dict[str, Any], expected: list[Any]
) -> None:
    fill(store, OLD, FROZEN, NEW, NOWHERE)
    asked = subscription(**changes)
    assert store.alerts_for(asked) == expected
    assert [each for each in (NOWHERE, NEW, FROZEN, OLD) if wants(asked, each)] == expected


def test_an_alert_that_was_grave_stays_with_its_subscription_to_the_end(store: Store) -> None:
    end = alert(1, 1, severity="watch", state="resolved")
    fill(store, alert(1, 0, severity="critical"), end, alert(2, severity="watch"))
    assert store.alerts_for(subscription(minimum_severity="critical")) == [end]


def test_an_alert_stays_with_a_subscription_once_its_signal_fades(store: Store) -> None:
    end = alert(1, 1, state="resolved")
    fill(store, alert(1, 0, parts=(Part("S14", 0.9, 2, 0.4, ""),)), end)
    assert store.alerts_for(subscription(signals=("S14",))) == [end]


# Evidence


def test_evidence_gives_the_events_and_reports_of_each_incident(store: Store) -> None:
    raised = alert(1)
    fill(store, report("b/1"), report("a/1"), topic="tocsin.reports.v1", start=40)
    fill(store, event("a/1/0"), event("a/1/0", unit="AFG"), event("b/1/0", unit="AFG"))
    first, second = store.evidence(raised)
    assert first.incident == raised.evidence[0]
    assert [(each.id, each.unit) for each in first.events] == [
        ("a/1/0", "AF-KAN"),
        ("b/1/0", "AFG"),
    ]
    kept = [(each.id, each.topic, each.partition, each.offset) for each in first.reports]
    assert kept == [("a/1", "tocsin.reports.v1", 0, 41), ("b/1", "tocsin.reports.v1", 0, 40)]
    assert first.reports[0].seen_at == OPENED
    assert (second.incident, second.events, second.reports) == (raised.evidence[1], (), ())


def test_evidence_of_thousands_of_events_is_found(store: Store) -> None:
    ids = tuple(f"a/{n}/0" for n in range(1_200))
    fill(store, *[event(each) for each in ids])
    reference = alert().evidence[0].__class__("i", OPENED.date(), "Kandahar", None, ("a",), ids)
    (found,) = store.evidence(alert(1, evidence=(reference,)))
    assert sorted(each.id for each in found.events) == sorted(ids)


def test_evidence_is_kept_for_its_days_behind_the_newest(store: Store) -> None:
    raised = alert(1)
    fill(store, raised, report("a/1"), event("a/1/0"))
    fill(store, event("b/1/0", seen_at=OPENED + 30 * DAY), start=3)
    assert store.counts()["events"] == 2
    fill(store, event("a/2/0", seen_at=OPENED + 31 * DAY), start=4)
    assert (store.counts()["events"], store.counts()["reports"]) == (2, 0)
    fill(store, event("a/1/0"), start=5)  # too old by now, and stays out
    assert [len(each.events) for each in store.evidence(raised)] == [1, 1]
    assert store.alert(raised.id) == raised


@pytest.mark.parametrize("field", ["title", "url", "publisher"])
def test_text_with_a_nul_is_kept_without_it(store: Store, field: str) -> None:
    fill(store, report("a/1", **{field: "a\x00b"}), event("a/1/0", quote="a\x00b"))
    found = store.evidence(alert(1))[0]
    assert getattr(found.reports[0], field) == "a\N{REPLACEMENT CHARACTER}b"
    assert found.events[0].quote == "a\x00b"


# Scores, sources, deliveries


def test_the_last_score_of_each_unit_and_of_each_day_is_kept(store: Store) -> None:
    early, late = score(OPENED), score(OPENED + timedelta(hours=3), observed=9)
    unknown = score(OPENED + DAY, state="unknown", coverage="dark", p=None, observed=None)
    other = score(OPENED, unit="AF-HEL")
    fill(store, late, early, unknown, other)
    assert store.scores() == [other, unknown]
    days = store.score_days("violence-burst", "rise", "AF-KAN")
    assert [(each.day, each.observed, each.coverage) for each in days] == [
        (date(2026, 3, 1), 9, "ok"),
        (date(2026, 3, 2), None, "dark"),
    ]
    assert store.score_days("violence-burst", "fall", "AF-KAN") == []


def test_a_day_is_a_day_in_utc(store: Store) -> None:
    kabul = datetime.fromisoformat("2026-03-02T01:30:00+04:30")
    fill(store, score(kabul))
    (day,) = store.score_days("violence-burst", "rise", "AF-KAN")
    assert (day.day, day.at) == (date(2026, 3, 1), kabul)


def test_the_last_health_of_each_source_is_kept(store: Store) -> None:
    dark = health("wire", OPENED + DAY, state="dark", share=0.0)
    fill(store, dark, health("wire"), health("agency"))
    assert store.source_health() == [health("agency"), dark]


def test_every_attempt_to_deliver_is_kept(store: Store) -> None:
    first, second = delivery(alert(1)), delivery(alert(1), 2, status="delivered", reason="")
    fill(store, second, first, delivery(alert(2)))
    assert store.deliveries(alert(1).id) == [first, second]


# Progress and rebuilding


def test_progress_is_the_next_offset_of_each_partition_of_a_topic(store: Store) -> None:
    store.apply("one", [(0, 7, health()), (1, 3, health()), (0, 8, health())])
    store.apply("two", [(0, 2**40, health())])
    store.apply("two", [])
    assert store.progress("one") == {0: 9, 1: 4}
    assert store.progress("two") == {0: 2**40 + 1}
    store.apply("one", [(0, 2, health())])  # read again after a crash
    assert store.progress("one") == {0: 9, 1: 4}
    assert store.progress("three") == {}


@pytest.mark.parametrize(
    "record",
    [
        Heartbeat("wire", OPENED),
        Tick(0, 1, OPENED, (health(),)),
        Command("c", "a", "acknowledge", OPENED, "desk"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_without_a_table_moves_only_progress(store: Store, record: Record) -> None:
    fill(store, record)
    assert {name: n for name, n in store.counts().items() if n} == {"progress": 1}


def test_a_batch_with_an_unknown_record_writes_nothing(store: Store) -> None:
    class Strange(Record, frozen=True, tag="strange.v1"):
        pass

    with pytest.raises(TypeError, match="Strange"):
        fill(store, alert(1), Strange())
    assert not any(store.counts().values())


def test_a_batch_that_the_database_refuses_writes_nothing(store: Store) -> None:
    broken = score(OPENED, coverage=None)  # as a bug would leave it: NOT NULL fails
    with pytest.raises(Exception, match=r"(?i)not.null"):
        fill(store, alert(1), broken)
    assert not any(store.counts().values())


def test_a_store_is_found_again_as_it_was_left(address: str) -> None:
    with Store(address) as store:
        assert store.rebuilt
        fill(store, alert(1))
    with Store(address) as store:
        assert not store.rebuilt
        assert store.progress("t") == {0: 1}
        assert store.alerts() == [alert(1)]


def test_a_store_of_another_version_is_rebuilt_with_its_former_tables_gone(address: str) -> None:
    with Store(address) as store:
        fill(store, alert(1))
    engine = open_engine(address)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE former (id TEXT)"))
        connection.execute(text("UPDATE meta SET value = '0' WHERE name = 'schema_version'"))
        connection.execute(text("UPDATE meta SET value = value || ' former' WHERE name = 'tables'"))
    engine.dispose()
    with Store(address) as store:
        assert store.rebuilt
        assert store.progress("t") == {}
        assert not any(store.counts().values())
    with pytest.raises(Exception, match="former"):
        dump(address, [Table("former", MetaData(), Column("id", String))])


def test_a_database_with_tables_of_something_else_is_left_alone(address: str) -> None:
    engine = open_engine(address)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (id TEXT)"))
        connection.execute(text("INSERT INTO events VALUES ('precious')"))
    with pytest.raises(ValueError, match="not the store's: events"):
        Store(address)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT id FROM events")) == "precious"
    engine.dispose()


def test_reset_empties_the_store(store: Store) -> None:
    fill(store, alert(1), event())
    store.reset()
    assert not any(store.counts().values())
    fill(store, alert(2))
    assert store.alerts() == [alert(2)]


def test_readers_and_a_writer_in_several_threads_do_not_disturb_each_other(store: Store) -> None:
    done, failures = threading.Event(), []

    def read() -> None:
        try:
            while not done.is_set():
                found = store.alerts()
                # One transaction for a batch: the alert and the progress are seen together.
                assert len(found) <= sum(store.progress("t").values())
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    try:
        for n in range(40):
            fill(store, alert(n), start=n)
    finally:
        done.set()
        for each in readers:
            each.join(timeout=30)
    assert failures == []
    assert len(store.alerts()) == 40


# Whatever is read again


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """A partition's records in order: as a detector would write them, some written twice."""
    kinds: list[st.SearchStrategy[Record]] = [
        st.builds(lambda n, r: alert(n, r), st.integers(1, 3), st.integers(0, 4)),
        st.builds(
            lambda n, unit, days: event(f"a/{n}/0", unit, seen_at=OPENED + days * DAY),
            st.integers(1, 5),
            st.sampled_from(["AF-KAN", "AFG"]),
            st.integers(0, 70),
        ),
        st.builds(
            lambda n, days: report(f"a/{n}", seen_at=OPENED + days * DAY),
            st.integers(1, 5),
            st.integers(0, 70),
        ),
        st.builds(lambda h: score(OPENED + timedelta(hours=h)), st.integers(0, 60)),
        st.builds(lambda h: health("wire", OPENED + timedelta(hours=h)), st.integers(0, 60)),
        st.builds(lambda n, a: delivery(alert(n), a), st.integers(1, 3), st.integers(1, 3)),
        st.builds(
            lambda n, state: subscription(id=f"s{n}", state=state),
            st.integers(1, 2),
            st.sampled_from(["active", "paused", "removed"]),
        ),
        st.just(Heartbeat("wire", OPENED)),
    ]
    return draw(st.lists(st.one_of(kinds), min_size=1, max_size=25))


@st.composite
def readings(draw: st.DrawFn) -> tuple[list[Record], list[tuple[int, int]]]:
    """A history, and batches that cover it in order, each beginning at or before the last's end."""
    history = draw(histories())
    batches, reached = [], 0
    while reached < len(history):
        start = draw(st.integers(0, reached))
        end = draw(st.integers(reached, len(history)))
        batches.append((start, end))
        reached = end if end > reached or start < reached else reached + 1
        if reached > end:
            batches.append((end, reached))
    return history, batches


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(reading=readings())
def test_any_order_preserving_delivery_with_repeats_gives_the_same_tables(
    address: str, reading: tuple[list[Record], list[tuple[int, int]]]
) -> None:
    history, batches = reading
    with Store(address, evidence_days=30) as store:
        store.reset()
        fill(store, *history)
        once = dump(address)
        store.reset()
        for start, end in batches:
            fill(store, *history[start:end], start=start)
        assert dump(address) == once


# The address


@pytest.mark.parametrize(
    "bad",
    ["sqlite://", "sqlite:///:memory:", "mysql://root@localhost/x", "nonsense", ""],
)
def test_an_address_that_cannot_be_used_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="store"):
        Store(bad)


def test_evidence_must_be_kept_for_a_day(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least a day"):
        Store(f"sqlite:///{tmp_path / 's.db'}", evidence_days=0)


def test_sqlite_is_in_wal_mode(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path / 's.db'}").close()
    engine = create_engine(f"sqlite:///{tmp_path / 's.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    engine.dispose()
