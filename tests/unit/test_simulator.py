"""The simulator: its figures are those asked for, and a seed is a world.

Comparisons allow five standard errors, taken from the spread between independent units.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.timegrid import DAY
from streams.simulator import Episode, Kind, Outage, Spec, World, unit_names
from streams.simulator.spec import NEW_NAME, WATCHED

#: No calendar, no drift: every day is as every other.
FLAT = Spec(friday=0, season=0, ramadan=0, eid=0, drift=0)
START = date(2024, 1, 1)
SMALL = Spec(seed=3, days=60, rate=(0.1, 0.5), news=4, duplicates=0.15, prose=0.3)


def is_near(found: np.ndarray, wanted: float) -> bool:
    """Whether the mean of independent values is within five standard errors of what is wanted."""
    error = float(found.std(ddof=1)) / len(found) ** 0.5
    return bool(abs(float(found.mean()) - wanted) < 5 * error)


def wire(spec: Spec) -> bytes:
    return b"\n".join(msgspec.json.encode(report) for report in World(spec).reports())


# Counts

rates = st.floats(0.05, 20)
dispersions = st.floats(0, 0.6)
echoes = st.sampled_from([0.0, 0.3, 0.6])
seeds = st.integers(0, 2**40)


@settings(max_examples=15, deadline=None)
@given(seeds, rates, dispersions, echoes)
def test_mean_dispersion_and_autocorrelation_are_as_asked(
    seed: int, rate: float, dispersion: float, echo: float
) -> None:
    spec = FLAT.with_(
        seed=seed, units=unit_names(400), days=240, rate=(rate, rate), echo=echo,
        dispersion=dispersion,
    )  # fmt: skip
    off = World(spec).counts[:, 40:] - rate  # the first days have no days before them to echo
    variance = rate + dispersion * rate**2
    assert is_near(off.mean(axis=1), 0)
    assert is_near((off**2).mean(axis=1), variance)
    for lag in (1, 2):
        together = (off[:, lag:] * off[:, :-lag]).mean(axis=1)
        assert is_near(together, variance * echo**lag)


@settings(max_examples=10, deadline=None)
@given(seeds, rates, echoes, st.floats(0, 0.4), st.floats(-0.5, 0.3))
def test_days_differ_as_the_calendar_says_and_the_mean_holds(
    seed: int, rate: float, echo: float, season: float, friday: float
) -> None:
    spec = FLAT.with_(
        seed=seed, units=unit_names(300), days=366, rate=(rate, rate), echo=echo, season=season,
        friday=friday, eid=-0.5, ramadan=0.2,
    )  # fmt: skip
    world = World(spec)
    expected = world.drawn.expected
    assert np.allclose(expected.mean(axis=1), rate)
    assert is_near((world.counts - expected).mean(axis=1), 0)
    days = [START + timedelta(n) for n in range(366)]
    fridays = np.array([day.weekday() == 4 for day in days])
    assert is_near((world.counts - expected)[:, fridays].mean(axis=1), 0)
    if season == 0:
        (ordinary, friday_after) = (days.index(date(2024, 5, 2)), days.index(date(2024, 5, 3)))
        ratio = expected[:, friday_after] / expected[:, ordinary]
        assert np.allclose(np.log(ratio), friday)


def test_holidays_are_where_the_islamic_calendar_has_them() -> None:
    spec = FLAT.with_(days=366, units=("AF-KAB",), eid=-0.5, ramadan=0.2, rate=(1, 1))
    row = np.log(World(spec).drawn.expected[0])
    ordinary = row[0]
    effect = {START + timedelta(n): round(float(v - ordinary), 6) for n, v in enumerate(row)}
    changed = [day for day, value in effect.items() if value == 0.2]
    assert (changed[0], changed[-1]) == (date(2024, 3, 11), date(2024, 4, 9))
    assert [d for d, v in effect.items() if v == -0.5] == [
        *(date(2024, 4, 10) + timedelta(n) for n in range(3)),
        *(date(2024, 6, 17) + timedelta(n) for n in range(3)),
    ]


def test_the_level_drifts_as_far_as_asked_and_nowhere_in_the_mean() -> None:
    spec = FLAT.with_(units=unit_names(4_000), days=300, rate=(1, 1), drift=0.02)
    last = World(spec).drawn.expected[:, -1]
    assert is_near(last, 1)
    assert is_near(np.log(last), -300 * 0.02**2 / 2)
    assert np.log(last).std() == pytest.approx(0.02 * 300**0.5, rel=0.06)


def test_rates_fill_the_range_evenly_in_logarithms() -> None:
    found = np.log(World(Spec(units=unit_names(2_000), days=1)).drawn.rates)
    low, high = np.log(0.02), np.log(20)
    assert low <= found.min()
    assert found.max() <= high
    assert is_near(found, (low + high) / 2)


# Episodes


@settings(max_examples=8, deadline=None)
@given(seeds, st.sampled_from([1.5, 2.0, 3.0]), echoes)
def test_a_surge_and_a_lull_are_as_strong_as_asked(seed: int, factor: float, echo: float) -> None:
    units = unit_names(400)
    first = START + timedelta(50)
    up = tuple(Episode(u, first, 30, "surge", factor=factor) for u in units[:200])
    down = tuple(Episode(u, first, 30, "lull", factor=0.3) for u in units[200:])
    spec = FLAT.with_(
        seed=seed, units=units, days=120, rate=(2, 2), echo=echo, episodes=(*up, *down)
    )
    mean = World(spec).counts[:, 50:80].mean(axis=1)
    assert is_near(mean[:200], 2 * factor)
    assert is_near(mean[200:], 2 * 0.3)


def test_a_surge_is_dispersed_as_the_background_is() -> None:
    units = unit_names(600)
    surges = tuple(Episode(u, START, 60, "surge", factor=3) for u in units)
    world = World(FLAT.with_(units=units, days=60, rate=(2, 2), dispersion=0.3, episodes=surges))
    assert is_near(((world.counts - 6) ** 2).mean(axis=1), 6 + 0.3 * 36)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 8), echoes)
def test_episodes_change_nothing_of_the_background(seed: int, number: int, echo: float) -> None:
    calm = Spec(seed=seed, days=200, echo=echo, rate=(0.1, 3))
    eventful = World(calm.with_(episodes=number))
    null = World(calm).counts
    changed = null != eventful.counts
    assert not changed[eventful.drawn.within < 0].any()
    assert len(eventful.episodes) == number
    for episode in eventful.episodes:
        row, start = WATCHED.index(episode.unit), (episode.first - START).days
        assert (eventful.drawn.within[row, start : start + episode.days] >= 0).all()
        less = (
            eventful.counts[row, start : start + episode.days]
            - null[row][start : start + episode.days]
        )
        assert (less <= 0).all() if episode.kind == "lull" else (less >= 0).all()


def test_a_new_front_is_of_a_group_and_a_district_of_its_own() -> None:
    front = Episode("AF-NAN", START + timedelta(40), 20, "new_front", added=2.0)
    world = World(Spec(days=100, units=("AF-NAN",), rate=(1, 1), episodes=(front,)))
    every = [world.happening(n) for n in range(len(world.arrivals.unit))]
    new = [w for w, e in zip(every, world.arrivals.episode, strict=True) if e >= 0]
    old = [w for w, e in zip(every, world.arrivals.episode, strict=True) if e < 0]
    assert len(new) == world.drawn.extra.sum() > 20
    assert {w.group.id for w in new} == {"iskp"}
    assert len({w.place for w in new}) == 1
    assert not {w.place for w in new} & {w.place for w in old}
    assert all(front.first <= w.day <= front.last for w in new)


def test_too_many_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="no room for 9 episodes"):
        _ = World(Spec(days=60, units=("AF-KAB",), episodes=9)).counts
    strange = Episode("AF-NAN", START, 3, "surge", factor=2)
    with pytest.raises(ValueError, match="AF-NAN"):
        _ = World(Spec(days=60, units=("AF-KAB",), episodes=(strange,))).counts


# Arrivals


def test_first_reports_come_as_late_as_was_measured() -> None:
    spec = FLAT.with_(units=unit_names(60), days=300, rate=(3, 3), witnesses=(1.0,))
    world = World(spec)
    late = np.sort(world.arrivals.first // DAY - world.arrivals.day)
    assert late[0] == 0
    for share, days in ((0.5, 1), (0.9, 2), (0.95, 4)):
        assert (late <= days).mean() == pytest.approx(share, abs=0.01) or share == 0.5
    assert np.quantile(late, 0.5) == 1
    none = World(spec.with_(delay=())).arrivals
    assert (none.first // DAY == none.day).all()
    twice = World(spec.with_(delay_factor=2.0)).arrivals
    assert np.quantile(twice.first // DAY - twice.day, 0.9) == 5


def test_what_is_known_grows_to_what_happened() -> None:
    world = World(Spec(days=80, rate=(0.5, 2)))
    known = [world.known(by) for by in range(100)]
    assert all((a <= b).all() for a, b in pairwise(known))
    assert (known[99] == world.counts).all()
    assert not any(k[:, by:].any() for by, k in enumerate(known[:80]))
    assert 0 < known[80].sum() < world.counts.sum()


def test_shares_of_witnesses_are_as_asked_and_each_outlet_tells_once() -> None:
    world = World(FLAT.with_(units=("AF-KAB",), days=2_000, rate=(4, 4)))
    outlet = world.tellings.outlet
    found = np.bincount((outlet >= 0).sum(axis=1), minlength=6)[1:] / len(outlet)
    assert found == pytest.approx(world.spec.witnesses, abs=0.02)
    assert all(len({*row} - {-1}) == (row >= 0).sum() for row in outlet)
    assert (world.tellings.seen > world.tellings.published).all()
    assert (world.tellings.published[:, 1:] > world.tellings.published[:, :1]).all()


# Seeds


def test_a_seed_is_a_world_to_the_byte() -> None:
    assert wire(SMALL) == wire(SMALL)
    assert wire(SMALL) != wire(SMALL.with_(seed=4))
    one, two = World(SMALL), World(SMALL)
    assert msgspec.json.encode(one.truth) == msgspec.json.encode(two.truth)
    list(two.reports())  # what was drawn before does not change what is drawn after
    assert (one.known(30) == two.known(30)).all()


def test_a_spec_can_be_written_and_read_again() -> None:
    gap = Outage("PAK", START, 3)
    spec = SMALL.with_(outages=(gap,), episodes=(Episode("AF-KAB", START, 3, "surge", 2.0),))
    assert msgspec.json.decode(msgspec.json.encode(spec), type=Spec) == spec


@pytest.mark.parametrize(
    ("kind", "strength", "days"),
    [
        ("surge", {"factor": 1.0}, 5),
        ("surge", {"factor": 2.0, "added": 1.0}, 5),
        ("lull", {"factor": 1.5}, 5),
        ("new_front", {}, 5),
        ("surge", {"factor": 2.0}, 0),
    ],
)
def test_what_is_no_episode_is_refused(kind: Kind, strength: dict[str, float], days: int) -> None:
    with pytest.raises(ValueError, match="a day at least"):
        Episode("AF-KAB", START, days, kind, **strength)


@pytest.mark.parametrize(("days", "share"), [(0, 1.0), (3, 0.0), (3, 1.5)])
def test_what_is_no_outage_is_refused(days: int, share: float) -> None:
    with pytest.raises(ValueError, match="a day at least"):
        Outage("all", START, days, share)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"days": 0}, "0 days"),
        ({"seed": -1}, "seed"),
        ({"rate": (2.0, 1.0)}, "rate"),
        ({"echo": 1.0}, "echo"),
        ({"prose": 1.5}, "prose"),
        ({"witnesses": ()}, "witness"),
        ({"units": ("AF-KAB", "AF-KAB")}, "twice"),
        ({"rename": START}, NEW_NAME),
        ({"anniversaries": (date(2030, 1, 1),)}, "outside the world"),
    ],
)
def test_what_is_no_world_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Spec().with_(**change)


def test_replicates_of_units_have_counts_and_no_reports() -> None:
    world = World(FLAT.with_(units=unit_names(43), days=5))
    assert world.counts.shape == (43, 5)
    with pytest.raises(ValueError, match=r"AF-BAL\.2"):
        next(world.reports())
