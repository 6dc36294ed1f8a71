"""The reports of a simulated world tell its truth, and Tocsin puts them together into it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.coding import code
from detectors.coding.actors import coded
from detectors.monitor import BATCH, Monitor
from detectors.records import Event, Report
from detectors.timegrid import DAY, Grid
from streams.replay import read, timed
from streams.simulator import About, Outage, Spec, World
from streams.simulator.arrivals import country_of, home, stage
from streams.simulator.happenings import groups
from streams.simulator.spec import NEW_NAME, OLD_NAME, RENAMED, WATCHED
from tests.filled_store import answer, tocsin
from tests.incident_measures import Known, b_cubed, put_together

#: No calendar, no drift: every day is as every other.
FLAT = Spec(friday=0, season=0, ramadan=0, eid=0, drift=0)
START = date(2024, 1, 1)
SMALL = Spec(seed=3, days=60, rate=(0.1, 0.5), news=4, duplicates=0.15, prose=0.3)
seeds = st.integers(0, 2**40)


@cache
def told(spec: Spec = SMALL) -> tuple[tuple[Report, About], ...]:
    return tuple(World(spec).told())


# Reports


@settings(max_examples=6, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.4]), st.integers(1, 3))
def test_reports_tell_what_the_truth_says(seed: int, prose: float, number: int) -> None:
    gap = (Outage("all", START + timedelta(10), 3), Outage("AFG", START + timedelta(20), 9, 0.5))
    spec = Spec(
        seed=seed, days=45, rate=(0.1, 0.6), outages=gap, episodes=number, duplicates=0.1,
        news=3, prose=prose,
    )  # fmt: skip
    world = World(spec)
    pairs = list(world.told())
    incidents = {about.incident for _, about in pairs if about.incident is not None}
    arrivals, truth = world.arrivals, world.truth
    seen = (arrivals.first >= 0) & (arrivals.first < spec.days * DAY)
    assert incidents == set(np.flatnonzero(seen).tolist())
    counted = Counter((WATCHED[arrivals.unit[n]], int(arrivals.day[n])) for n in incidents)
    assert counted == Counter({
        (unit.unit, day): n for unit in truth.units for day, n in enumerate(unit.reported) if n
    })  # fmt: skip
    assert truth.incidents == sum(sum(unit.counts) for unit in truth.units)
    for report, about in pairs:
        assert about.report == report.id
        if report.record is not None and about.incident is not None:
            assert report.record.admin1 == WATCHED[arrivals.unit[about.incident]]
            day = START + timedelta(int(arrivals.day[about.incident]))
            assert report.record.occurred.start == report.record.occurred.end == day


def test_reports_are_in_order_and_each_is_one_of_its_kind() -> None:
    reports = [report for report, _ in told()]
    assert [(r.seen_at, r.id) for r in reports] == sorted((r.seen_at, r.id) for r in reports)
    assert len({r.id for r in reports}) == len(reports)
    kinds = Counter(about.kind for _, about in told())
    assert set(kinds) == {"first", "second", "copy", "news"}
    assert all(r.published_at and r.published_at < r.seen_at for r in reports)
    assert {r.record is None for r, a in told() if a.kind == "first"} == {True, False}


def test_reprints_have_one_text_and_at_most_forty_of_them() -> None:
    spec = SMALL.with_(duplicates=1.0, days=30, news=0)
    texts: dict[int | None, set[str]] = {}
    copies: Counter[tuple[int | None, str]] = Counter()
    for report, about in told(spec):
        if about.kind == "copy":
            assert report.text in texts[about.incident]
            copies[about.incident, report.text] += 1
        else:
            texts.setdefault(about.incident, set()).add(report.text)
    assert 20 < max(copies.values()) <= 40 * 5  # at most five outlets tell of an incident
    assert len({r.source for r, a in told(spec) if a.kind == "copy"}) == 40


@pytest.mark.parametrize("what", ["all", "AFG", "PAK", "en", "fa", "ur", "AF-KAB", "lapis-wire"])
def test_an_outage_takes_its_reports_and_no_others(what: str) -> None:
    gap = Outage(what, START + timedelta(20), 10)
    homes = {outlet.source: home(outlet) for outlet in stage()}
    spec = SMALL.with_(duplicates=0.0)
    world = World(spec)

    def is_meant(report: Report, about: About) -> bool:
        where = ""
        if about.incident is not None:
            where = WATCHED[world.arrivals.unit[about.incident]]
        country = country_of(where) if where else homes[report.source]
        return what in ("all", where, country, report.language, report.source)

    def is_within(report: Report) -> bool:
        return gap.first <= report.seen_at.date() <= gap.last

    whole = {r.id: is_within(r) and is_meant(r, a) for r, a in told(spec)}
    left = {r.id for r, _ in told(spec.with_(outages=(gap,)))}
    assert any(whole.values())
    assert left == {id for id, is_lost in whole.items() if not is_lost}


def test_a_share_of_an_outage_is_lost() -> None:
    gap = Outage("all", START, 60, share=0.4)
    spec = SMALL.with_(duplicates=0.0, news=20)
    left = len(told(spec.with_(outages=(gap,)))) / len(told(spec))
    assert left == pytest.approx(0.6, abs=0.05)


def test_an_outage_of_nothing_is_refused_with_what_there_is() -> None:
    world = World(SMALL.with_(outages=(Outage("Kabull", START, 3),)))
    with pytest.raises(ValueError, match="lapis-wire"):
        _ = world.arrivals


def test_a_renaming_changes_the_name_and_not_the_organisation() -> None:
    day = date(2024, 8, 15)
    spec = Spec(days=300, units=("PK-KP",), rate=(2, 2), news=0, rename=day)
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for report, _ in told(spec):
        record = report.record
        assert record is not None
        if RENAMED in coded(record.actors, "PAK", record.occurred.end):
            names[record.occurred.start >= day].add(record.actors[0])
    assert names == {False: {OLD_NAME}, True: {NEW_NAME}}
    before, after = World(spec.with_(rename=None)), World(spec)
    assert (before.counts == after.counts).all()


def test_an_anniversary_recalls_what_was_a_year_ago_and_an_old_story_comes_again() -> None:
    day = date(2024, 2, 29)
    spec = SMALL.with_(days=90, anniversaries=(day,))
    wave = [(r, a) for r, a in told(spec) if a.kind in ("anniversary", "old")]
    plain = {r.id for r, _ in told(spec.with_(anniversaries=()))}
    assert {r.id for r, _ in told(spec)} - plain == {r.id for r, _ in wave}
    assert Counter(a.kind for _, a in wave) == {"anniversary": 40, "old": 3}
    assert {r.seen_at.date() for r, _ in wave} == {day}
    assert {r.published_at.date() for r, a in wave if a.kind == "old" and r.published_at} == {
        date(2023, 2, 28)
    }
    records = [r.record for r, a in wave if a.kind == "anniversary" and r.record]
    assert 5 < len(records) < 35
    assert {record.occurred.start for record in records} == {date(2023, 2, 28)}


def test_deaths_have_a_heavy_tail() -> None:
    world = World(FLAT.with_(units=("AF-KAB",), days=6_000, rate=(2, 2)))
    deaths = np.array([world.happening(n).killed for n in range(10_000)])
    for least in (1, 2, 5, 10):
        share = 0.75 * least**-1.8
        assert (deaths >= least).mean() == pytest.approx(share, abs=5 * (share / 10_000) ** 0.5)
    assert deaths.max() > 50


def test_every_group_is_in_the_actor_registry_on_its_days() -> None:
    for unit in WATCHED:
        for group in groups(unit):
            on = max(group.first or START, START) if group.last is None else group.last
            assert coded((group.name,), group.country, on) == (group.id,)
            assert coded((group.government,), group.country, on)


# What Tocsin makes of it


def _violent(spec: Spec) -> list[tuple[Event, About]]:
    coded_all = code([report for report, _ in told(spec)])
    return [
        (event, about)
        for (_, about), found in zip(told(spec), coded_all, strict=True)
        for event in found.events
        if event.unit in WATCHED and event.event == "ASSAULT" and not event.auxiliary
    ]


@pytest.mark.parametrize("prose", [0.0, 1.0])
def test_reports_are_put_together_into_the_incidents_told(prose: float) -> None:
    spec = SMALL.with_(prose=prose, days=30)
    known = [Known(event, about.incident) for event, about in _violent(spec)]
    assert {each.true for each in known} >= {
        about.incident for _, about in told(spec) if about.kind == "first"
    }
    found = put_together(each for each in known if each.event.occurred)
    assert b_cubed(found).f1 >= 0.95


def test_a_replay_counts_the_incidents_told() -> None:
    spec = Spec(seed=2, days=25, units=WATCHED[3::6], rate=(0.3, 1.5), news=4, duplicates=0.1)
    true = {about.report: about.incident for _, about in told(spec)}
    monitor = Monitor()
    records = list(timed([report for report, _ in told(spec)], Grid()))
    for start in range(0, len(records), BATCH):
        assert not monitor.take(records[start : start + BATCH]).coded.failed
    pairs = [
        (incident.id, true[report.event.rpartition("/")[0]])
        for unit in spec.names
        for found in monitor._watch.units[unit].incidents.by_day.values()
        for incident in found
        for report in incident.told
    ]
    assert b_cubed(pairs).f1 >= 0.95
    counted, happened = len({incident for incident, _ in pairs}), World(spec).truth.reported
    assert {about for _, about in pairs} == set(true.values()) - {None}
    assert abs(counted - happened) <= 0.05 * happened


def test_records_of_a_year_ago_count_for_no_day_of_the_world() -> None:
    spec = SMALL.with_(days=90, anniversaries=(date(2024, 3, 1),), prose=0.0)
    recalled = [e for e, about in _violent(spec) if about.kind == "anniversary"]
    assert any(e.occurred and e.occurred.end < START for e in recalled)


# The command


def test_the_command_writes_what_replay_reads(tmp_path: Path) -> None:
    out, truth = tmp_path / "reports.jsonl", tmp_path / "truth.json"
    asked = ("simulate", "--days", "60", "--units", "AF-NAN,PK-KP", "--rate", "1", "--seed", "5")
    found = tocsin(*asked, "--episodes", "1", "--out", str(out), "--truth", str(truth))
    assert found.exit_code == 0, found.stderr
    assert "Episodes" in found.stdout
    assert "PK-KP" in found.stdout
    reports = list(read(str(out)))
    assert all(isinstance(report, Report) for report in reports)
    true = json.loads(truth.read_text())
    assert len(true["episodes"]) == 1
    assert [unit["unit"] for unit in true["units"]] == ["AF-NAN", "PK-KP"]
    assert all(len(unit["counts"]) == 60 for unit in true["units"])
    again = tocsin(*asked, "--out", str(out))
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_a_null_world_has_no_episode_and_comes_out_the_same_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for path in (one, two):
        found = answer(
            "simulate", "--null", "--days", "30", "--rate", "0.3", "--out", str(path), "--json"
        )
        assert found["episodes"] == []
        assert found["reports"] == len(path.read_bytes().splitlines()) > 100
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("units", "days", "episodes"), [("1", "10", 1), ("2", "30", 2), ("1", "310", 2), ("9", "99", 4)]
)
def test_a_small_world_has_fewer_episodes(units: str, days: str, episodes: int) -> None:
    found = answer("simulate", "--units", units, "--days", days, "--json")
    assert len(found["episodes"]) == episodes


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--outage", "PAK:soon:3"), "KIND:FROM:DAYS"),
        (("--outage", "Pakistan:3:3"), "take all, AFG, PAK"),
        (("--units", "AF-KAP,AF-KAX"), "did you mean"),
        (("--units", "42"), "1 to 41"),
        (("--rate", "much"), "0.02-1"),
        (("--rate", "0"), "positive"),
        (("--rename", "2024-02-02"), "nobody called it"),
        (("--anniversary", "May"), "2024-06-01"),
        (("--days", "20", "--episodes", "99", "--units", "1"), "no room"),
    ],
)
def test_wrong_wishes_are_answered_with_the_mend(option: tuple[str, ...], text: str) -> None:
    found = tocsin("simulate", *option)
    assert found.exit_code == 2
    assert text in " ".join(found.stderr.split())
