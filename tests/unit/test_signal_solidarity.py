"""S7, cross-group solidarity."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event
from detectors.signals.solidarity import Solidarity, entropy, partners_of, speakers_of
from detectors.signals.ties import BIRTH_DAYS, FORGOTTEN_DAYS, Tie, Ties
from detectors.timegrid import seconds
from tests.core_records import clock, event, toll, town
from tests.signal_records import FIRST, Run, run

SIGNAL = Solidarity()
DAYS = 200


def said(on: int, *partners: str, theme: str = "praise", n: int = 0, **changes: object) -> Event:
    """Return a statement of or to the TTP, told by one outlet."""
    base = event(
        f"said-{theme}-{on}-{n}/0",
        on,
        unit="ttp",
        event="AGREE" if theme == "pledge" else "SUPPORT",
        place=None,
        actors=tuple(sorted(("ttp", *partners))),
        themes=(theme,),
        voices=("militant",),
        language="en",
    )
    return msgspec.structs.replace(base, **changes)


def solid(events: list[Event], days: int = DAYS, **how: object) -> Run:
    return run(SIGNAL, events, days, unit="ttp", country="PAK", **how)  # type: ignore[arg-type]


def usual() -> list[Event]:
    """Return a past in which al-Qaida and the TTP speak of one another every month."""
    return [said(on, "al-qaida", n=on) for on in range(3, DAYS, 30)]


def partners(told: Event) -> tuple[str, ...]:
    """Return with whom an event tells solidarity."""
    (incident,) = IncidentLog().take(told, seconds(told.seen_at) + 43_200).new
    return partners_of(incident)


def test_between_whom_a_statement_is() -> None:
    assert partners(said(0, "al-qaida", "pak-military")) == ("al-qaida",)
    assert partners(said(0, "pak-military")) == ()
    assert partners(said(0, "al-qaida", theme="border_closed")) == ()
    assert partners(said(0, "al-qaida", event="ASSAULT")) == ()


def test_a_part_does_not_praise_its_whole_but_may_pledge() -> None:
    assert partners(said(0, "jamaat-ul-ahrar")) == ()
    assert partners(said(0, "jamaat-ul-ahrar", theme="pledge")) == ("jamaat-ul-ahrar",)


def test_who_speaks_is_told_where_the_sides_differ() -> None:
    def speakers(partner: str, *voices: str) -> list[str]:
        log = IncidentLog()
        (incident,) = log.take(said(0, partner, voices=voices), seconds(clock(1))).new
        return speakers_of(incident, "ttp", partner)

    assert speakers("taliban", "militant") == ["ttp"]
    assert speakers("taliban", "afg-authorities") == ["taliban"]
    assert speakers("taliban", "afg-authorities", "militant") == ["ttp", "taliban"]
    assert speakers("al-qaida", "militant") == ["ttp", "al-qaida"]


def test_the_usual_tie_is_silent() -> None:
    found = solid(usual())
    assert found.on(27).state == "learning"
    assert found.on(28).state == "scored"
    assert max(found.strengths(60, DAYS - 1)) < 1.5
    assert max(found.strengths(120, DAYS - 1)) < 1.0


def test_a_new_tie_is_news_for_a_fortnight() -> None:
    found = solid([*usual(), said(150, "etim")])
    before, after = found.on(149), found.on(150)
    assert (before.strength or 0.0) < 1.0
    assert (after.strength or 0.0) > 1.5
    assert "new tie with Turkistan Islamic Party" in after.reason
    assert after.claim is not None
    assert can_settle(after.claim.resolver, (SIGNAL.indicator,), series_days=len(after.daily))
    assert [ref.themes for ref in after.evidence] == [("praise",)]
    assert "new tie" not in found.on(150 + BIRTH_DAYS).reason


def test_many_answer_one_event_and_the_event_is_told() -> None:
    struck = event(
        "strike-1/0",
        150,
        unit="ttp",
        actors=("ttp",),
        killed=toll(20),
        place=town("Peshawar", "PK-KP"),
    )
    groups = ("al-qaida", "etim", "imu", "aqis")
    told = [
        said(151 + n % 2, group, theme="mourning", n=n, language=("en", "ar", "ur", "ps")[n])
        for n, group in enumerate(groups)
    ]
    found = solid([*usual(), struck, *told])
    score = found.on(152)
    assert (score.strength or 0.0) > 4.0
    assert "4 within 72 hours of an event in Peshawar" in score.reason
    assert "entropy of languages 1." in score.reason
    assert "new ties with" in score.reason
    assert {ref.event for ref in score.evidence} == {"ASSAULT", "SUPPORT"}


def test_a_usual_tie_that_gets_busy_is_found() -> None:
    busy = [said(on, "al-qaida", theme="mourning", n=on) for on in range(150, 156)]
    score = solid([*usual(), *busy]).on(156)
    assert (score.strength or 0.0) > 3.0
    assert "new tie" not in score.reason
    assert "most unusual with al-Qaida" in score.reason


def test_one_statement_told_by_forty_outlets_is_one() -> None:
    copies = [
        said(150, "etim", id=f"c{n}/0", report=f"c{n}", source=f"o{n}", publisher=f"o{n}")
        for n in range(40)
    ]
    alone, copied = solid([*usual(), copies[0]]), solid([*usual(), *copies])
    assert sum(copied.on(151).daily) == sum(alone.on(151).daily)
    assert copied.on(151).strength == alone.on(151).strength


def test_a_renamed_group_makes_no_new_tie() -> None:
    """A name is another, the id is the same: so is the tie."""
    renamed = [
        said(on, "iskp", n=on, quote="under its old name" if on < 100 else "under its new one")
        for on in range(5, DAYS, 25)
    ]
    found = solid([*usual(), *renamed])
    assert not any("new tie" in found.on(day).reason for day in range(60, DAYS))


def test_a_tie_that_rested_on_a_retracted_report_is_none() -> None:
    back = said(150, "etim", id="back/0", report="back", statement="retraction", seen_at=clock(152))
    found = solid([*usual(), said(150, "etim"), back])
    assert "etim" in solid([*usual(), said(150, "etim")]).state.ties.known
    assert "new tie" in found.on(151).reason
    assert "etim" not in found.state.ties.known
    assert "new tie" not in found.on(153).reason


def test_in_the_dark_nothing_is_known_and_nothing_learned() -> None:
    dark: dict[int, Coverage] = dict.fromkeys(range(100, 110), "dark")
    found = solid(usual(), coverage=dark)
    assert {(found.on(d).state, found.on(d).p) for d in range(100, 110)} == {("unknown", None)}
    assert found.state.ties.days < solid(usual()).state.ties.days


def test_thin_coverage_is_judged_but_not_learned() -> None:
    thin: dict[int, Coverage] = dict.fromkeys(range(148, 156), "thin")
    score = solid([*usual(), said(150, "etim")], coverage=thin).on(150)
    assert score.state == "scored"
    assert (score.strength or 0.0) > 1.5


def test_an_empty_series_says_nothing() -> None:
    found = solid([], 400)
    assert not any(score.strength for scores in found.halves for score in scores)
    assert (found.on(399).usual or 0.0) < 0.02


def test_a_checkpoint_changes_nothing_and_a_busy_state_is_small() -> None:
    groups = ("al-qaida", "etim", "imu", "aqis", "iskp", "taliban", "bla", "isil", "aqap")
    busy = [said(on, groups[on % 9], n=on) for on in range(DAYS)]
    plain, restarted = solid(busy), solid(busy, restart=True)
    assert msgspec.json.encode(plain.halves) == msgspec.json.encode(restarted.halves)
    assert len(msgspec.json.encode(plain.state)) < 8_192


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2_000), st.integers(0, 12), st.integers(1, 6))
def test_a_birth_is_less_of_a_surprise_where_births_are_usual(
    watched: int, earlier: int, births: int
) -> None:
    def surprise(old: int, new: int) -> float:
        ties = Ties(watched=min(watched, FORGOTTEN_DAYS), folded=FIRST + 900)
        for n in range(old):
            ties.known[f"old{n}"] = Tie(FIRST + n, FIRST + 900)
        for n in range(new):
            ties.known[f"new{n}"] = Tie(FIRST + 1_000, FIRST + 1_000)
        return ties.surprise(FIRST + 1_000, FIRST)

    assert surprise(earlier, 0) == 0.0
    assert surprise(earlier, births) >= surprise(earlier + 1, births) - 1e-9
    assert surprise(earlier, births + 1) >= surprise(earlier, births) > 0.0


def test_many_ties_are_no_more_false_alarms() -> None:
    heard = {"al-qaida": {FIRST + 100: 2}}
    few, many = Ties(days=100.0), Ties(days=100.0)
    few.known = {"al-qaida": Tie(FIRST, FIRST + 100, 3.0)}
    many.known = few.known | {f"g{n}": Tie(FIRST, FIRST, 1.0) for n in range(9)}
    alone, among = few.busier(FIRST + 100, heard, {}), many.busier(FIRST + 100, heard, {})
    assert alone[1] == among[1] == "al-qaida"
    assert 0.0 < among[0].strength < alone[0].strength


def test_entropy_is_most_where_languages_are_even() -> None:
    assert entropy([]) == 0.0
    assert entropy(["en", "ps", "ur"]) > entropy(["en", "en", "ur"]) > 0.0
