"""The quiet, placebo and cost parts of the detection benchmark, at a tiny size."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from math import isclose

import msgspec
import pytest

from detectors import evidence, index, watch
from detectors.records import Event
from detectors.signals import SIGNALS
from detectors.timegrid import seconds
from streams.simulator import Spec, World
from streams.simulator.arrivals import home, stage
from tests.benchmarks.detection import cost, outages, pairs, placebo, quiet

_SIZE = outages.Size(learn=16, after=2, news=60.0, units=("AF-KAN", "AF-HEL", "PK-KP"))


@pytest.fixture(scope="module")
def before() -> outages.Before:
    return outages.learned(3, _SIZE)


@pytest.fixture(scope="module")
def twin(before: outages.Before) -> pairs.Run:
    return before.go(before.tail)


def test_a_copy_of_the_monitor_goes_on_as_the_monitor_itself_would(
    before: outages.Before, twin: pairs.Run
) -> None:
    again = before.go(before.tail)

    assert again == twin
    assert twin.alerts[: len(before.run.alerts)] == before.run.alerts
    assert max(map(seconds, (a.at for a in twin.alerts)), default=0) <= before.last


def test_the_twin_differs_from_itself_in_nothing(twin: pairs.Run) -> None:
    assert pairs.unlike(twin, twin, -1, pairs.FOREVER) == []
    assert pairs.ended_alone(twin, twin, -1, pairs.FOREVER) == []


def test_an_alert_that_the_twin_lacks_is_told(twin: pairs.Run) -> None:
    assert twin.opened(-1, pairs.FOREVER), "surges of five times the usual open alerts"
    lacking = deepcopy(twin)
    gone = lacking.opened(-1, pairs.FOREVER)[0]
    lacking.alerts = [
        a for a in lacking.alerts if (a.unit, a.direction) != (gone.unit, gone.direction)
    ]

    assert gone in pairs.unlike(twin, lacking, -1, pairs.FOREVER)
    assert pairs.unlike(lacking, twin, -1, pairs.FOREVER) == []


def test_an_outage_takes_what_its_sources_tell_in_its_time_and_nothing_else(
    before: outages.Before,
) -> None:
    for outage in outages.outages(3, before.fork):
        left = outages.without(before.tail, outage)
        taken = {r.id for r in before.tail} - {r.id for r in left}

        assert 48 * pairs.HOUR <= outage.stop - outage.start <= 72 * pairs.HOUR
        assert taken
        for report in before.tail:
            within = outage.start <= seconds(report.seen_at) < outage.stop
            assert (report.id in taken) == (within and report.source in outage.sources)


def test_the_share_left_follows_from_who_tells_of_a_unit(
    before: outages.Before, twin: pairs.Run
) -> None:
    by_name = {o.name: o for o in outages.outages(3, before.fork)}
    every = outages.shares(by_name["all"], twin, before.volume)
    afghan = outages.shares(by_name["Afghan outlets"], twin, before.volume)
    pakistani = outages.shares(by_name["Pakistani outlets"], twin, before.volume)

    assert set(every.values()) == {0.0}
    assert afghan["AF-HEL"] == 0.0  # without its country's outlets nothing is reliable
    assert outages.state_of(pakistani["AF-HEL"]) == "ok"
    assert pakistani["PK-KP"] < pakistani["AF-HEL"]


def test_outlets_get_families_of_the_country_where_they_are_at_home() -> None:
    from detectors.world.families import FAMILIES

    given = outages._families()
    for outlet in stage():
        assert FAMILIES[given[outlet.source]].country == home(outlet)
    assert len(set(given.values())) == len({outlet.family for outlet in stage()})


def test_in_silence_no_alert_is_opened_or_ended_blindly(
    before: outages.Before, twin: pairs.Run
) -> None:
    outage = next(o for o in outages.outages(3, before.fork) if o.name == "all")
    run, told = before.go(outages.without(before.tail, outage)), outages.Told()
    outages.judge(told, outage, run, twin, outages.shares(outage, twin, before.volume))

    assert told.lost == len(told.right["began", 6]) > 0
    assert told.frozen + len(told.unfrozen) <= told.open_before
    assert told.blind == []
    assert [a for a in told.ended if a.coverage != "ok"] == []


def test_harmless_news_is_what_it_says(before: outages.Before) -> None:
    wave, copies, old = (make(before) for make in quiet._KINDS.values())

    assert len(wave) == 120
    assert all(seconds(r.seen_at) >= before.fork for r in wave)
    assert len(copies) == 40 * len({r.text for r in copies})
    assert {r.source for r in copies} == {f"mirror-{n:02}" for n in range(1, 41)}
    for report in old:
        assert report.published_at is not None
        assert timedelta(days=355) < report.seen_at - report.published_at < timedelta(days=375)
    for reports in (wave, copies, old):
        assert len({r.id for r in reports}) == len(reports)


def test_a_renaming_changes_reports_from_its_day_on_only() -> None:
    found = quiet.renaming(5, (3, 3), 5.0)

    assert found.reports > 0


def test_the_quiet_part_returns_figures_that_can_be_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    size = outages.Size(learn=6, after=1, news=20.0, units=("AF-KAN",))
    figures = quiet.quiet((3,), size, (2, 1))

    assert msgspec.json.decode(msgspec.json.encode(figures)) == figures
    assert set(figures["outages"]) == {o.name for o in outages.outages(3, 0)}
    assert len(figures["harmless"]) == 4
    for found in figures["outages"].values():
        assert 0.0 <= found["right_began_6h"] <= 1.0
        assert found["opened_blind"] == 0
    assert "Harmless news" in capsys.readouterr().out


def test_days_keep_the_strongest_of_what_was_said_and_nothing_unseen() -> None:
    days = placebo.followed(World(Spec(days=32, units=("AF-KAN",), rate=(3, 3), news=20)).reports())

    known = days.by["S1", "rise"]
    assert {unit for unit, _ in known} >= {"AF-KAN"}
    assert all(day.strength >= 0 and 0 < day.p <= 1 for day in known.values())
    assert "M1" not in {signal for signal, _ in days.by}


def test_a_share_over_alpha_is_one_where_alpha_of_days_are_beyond_the_bar() -> None:
    values = {f"u{n}": [1.0] + [0.0] * 99 for n in range(20)}

    assert all(isclose(each, 1.0) for each in placebo.share(values, 0.5, 0.01))
    one = placebo.share({**values, "odd": [1.0] * 100}, 0.5, 0.01)
    assert one[1] < one[0] < one[2]


def test_a_rank_cannot_be_less_than_one_in_its_past() -> None:
    assert placebo.floor(10) > placebo.floor(300) > 1 / (300 + 100)


def test_an_episode_stands_out_only_if_it_is_stronger_than_the_rest() -> None:
    first = date(2020, 1, 20)
    flat = {first + timedelta(days=n): 1.0 + 0.1 * (n % 3) for n in range(150)}
    name = "Reduction in Violence"
    begun, last, _ = placebo.EPISODES[name]
    loud = flat | {begun + timedelta(days=n): 5.0 for n in range((last - begun).days + 1)}

    told, usual = placebo.episode(loud, name), placebo.episode(flat, name)
    assert told is not None
    assert usual is not None
    assert (told["percentile"], told["p"]) == (100.0, round(1 / 201, 4))
    assert usual["p"] > 0.05
    assert placebo.episode({first: 1.0}, name) is None


def test_the_placebo_names_every_signal_that_makes_claims() -> None:
    figures = placebo.placebo((1,), days=24, units=1, scenario=False)

    named = {*figures["null"], *figures["null_without_data"], *figures["null_unsaid"]}
    every = placebo.keys()
    assert named == {"/".join(key) for key in every}
    assert msgspec.json.encode(figures)


def test_the_cost_is_that_of_all_events_and_leaves_the_line_as_it_was() -> None:
    whole = (dict(SIGNALS), evidence.sum_up, index.attach, watch._publish)
    batches = cost.coded(World(Spec(days=20, units=("PK-KP",), rate=(4, 4), news=5)).reports())
    spent = cost.replay(batches, cost.busy_units(batches, 20))

    assert (dict(SIGNALS), evidence.sum_up, index.attach, watch._publish) == whole
    of_unit = [r.unit for batch in batches for r in batch if isinstance(r, Event)]
    assert spent.events == sum(unit in spent.state.units for unit in of_unit) > 0
    assert spent.pairs == sum(spent.by_signal.values()) >= spent.events
    assert spent.clock.calls["S1 step"] > 0
    sizes = cost.sizes(spent.state)
    assert all(size == sorted(size) for size in sizes.values())
    assert {unit for _, unit in sizes["S1"]} <= set(spent.state.units)


def test_timing_changes_no_score() -> None:
    reports = list(World(Spec(days=18, units=("PK-KP",), rate=(4, 4), news=5)).reports())
    batches = cost.coded(reports)
    units = cost.busy_units(batches, 1)
    plain = watch.Watch(pairs.GRID, units)
    offset = 0
    for batch in batches:
        plain.take(enumerate(batch, offset))
        offset += len(batch)

    assert cost.replay(batches, units).state.units == plain.units


def test_the_cost_part_returns_figures_that_can_be_written() -> None:
    figures = cost.cost(15, 3.0, scenario=False)

    assert msgspec.json.encode(figures)
    assert figures["busy"]["event_signals"] >= figures["busy"]["events"] > 0
    assert figures["largest_state"][0] == max(
        size["largest"] for size in figures["busy"]["state_bytes"].values()
    )
