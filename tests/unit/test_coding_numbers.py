"""How many, and when: the numbers and days of a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding.casualties import harm
from detectors.coding.dates import anchor, when
from detectors.records import Casualties, Report

TODAY = date(2020, 3, 4)  # a Wednesday


def _best(found: Casualties | None) -> int | None:
    return found.best if found else None


@pytest.mark.parametrize(
    ("sentence", "killed", "injured"),
    [
        ("killed 12 and wounded 4", 12, 4),
        ("12 killed, 4 wounded in blast", 12, 4),
        ("12 people were killed and 4 others were injured", 12, 4),
        ("two policemen and five insurgents were killed", 7, None),
        ("killed two policemen and five insurgents and wounded three", 7, 3),
        ("suicide bomber kills 12, injures 4", 12, 4),
        ("five attackers killed 12 soldiers", 12, None),
        ("12 people, including three children, were killed and 25 wounded", 12, 25),
        ("killed at least 7 people, among them two women and a child, and injured 11", 7, 11),
        ("4 personnel among 10 killed in firefight", 10, None),
        ("a policeman was killed and two others were wounded", 1, 2),
        ("policeman killed, 2 wounded in ambush", 1, 2),
        ("killed a tribal elder and his two sons", 3, None),
        ("policeman guarding a team martyred in bajaur", 1, None),
        ("gunman kills wife", None, None),
        ("girl, 12, killed by stray bullet", 1, None),
        ("a minister and five others were killed", 6, None),
        ("twenty-three people were killed", 23, None),
        ("a dozen people were killed", 12, None),
        ("two dozen fighters were killed", 24, None),
        ("1,200 people were killed", 1200, None),
        ("gunmen shot dead two policemen", 2, None),
        ("ten men gunned down", 10, None),
        ("an attack claimed the lives of one soldier and two militants", 3, None),
        ("seven people lost their lives and 15 sustained injuries", 7, 15),
        ("wounded eight, three of them critically", None, 8),
        ("killed four, wounded two and captured three", 4, 2),
        ("the death toll from the attack on 18 january has risen to six", 6, None),
        ("the attack left three soldiers dead and 12 others injured", 3, 12),
        ("the three-hour gun battle killed 5 soldiers", 5, None),
        ("a 12-year-old boy was killed", 1, None),
        ("up to 15 militants were killed in 3 airstrikes", 15, None),
        ("14 militants killed and wounded in operations", None, None),
        ("taliban killed in helmand", None, None),
        ("no casualties were reported", 0, 0),
        ("there were no immediate reports of casualties", None, None),
        ("the attack destroyed 3 vehicles and 20 houses", None, None),
        ("update 1-seven civilians killed in air strike", 7, None),
        ("taliban kill 2 policemen, capture 6 troops", 2, None),
        ("forces kill 9 militants, rescue 10 from detention", 9, None),
        ("two commanders with four colleagues killed", 6, None),
        ("rebel leader along with his 5 men killed", 6, None),
        ("30 civilians killed, along with 16 fighters", 46, None),
        ("5 local police members killed in attack", 5, None),
        ("5 district police killed", 5, None),
        ("militants kill 23 in attacks on checkpoints", 23, None),
        ("drone raid kills key commander in farah", 1, None),
        ("update: district police chief killed in bomb attack", 1, None),
        ("district police chief, soldier killed by sniper", 2, None),
        ("mine blast kills police chief, two soldiers", 3, None),
        ("motorcyclist shoots dead 6 local employees", 6, None),
        ("policeman killed three colleagues", 3, None),
        ("air strike kills terrorist group", None, None),
        ("bombing kills 5, including police commander", 5, None),
        ("6 soldiers, as many rebels killed in clashes", 12, None),
        ("as many as 12 people were killed", 12, None),
        ("six policemen said killed in clashes", 6, None),
        ("a roadside mine has killed 5 people", 5, None),
        ("officials confirm death of two soldiers", 2, None),
        ("four men, including a leader from panjshir, were killed", 4, None),
        ("12 people killed, including three children, and 5 wounded", 12, 5),
        ("no one was killed, 5 rebels were", 5, None),
        ("no one was killed, three were injured", 0, 3),
        ("five policemen were attacked but no one was killed", 0, None),
        ("no civilians were hurt but two soldiers were killed", 2, None),
        ("police van hit by bomb, death toll now four", 4, None),
        ("religious scholar assassinated in kabul", 1, None),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value),
)
def test_casualties(sentence: str, killed: int | None, injured: int | None) -> None:
    found = harm(sentence)
    assert (_best(found.killed), _best(found.injured)) == (killed, injured)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param("between 10 and 15 fighters were killed", (10, 12, 15), id="between"),
        pytest.param("10-15 killed", (10, 12, 15), id="a dash"),
        pytest.param("more than 40 were killed", (41, 41, 41), id="more than"),
        pytest.param("at least six people were killed", (6, 6, 6), id="at least"),
        pytest.param("some 20 militants were killed", (20, 20, 20), id="some"),
        pytest.param("dozens of civilians killed", (24, 24, 99), id="dozens"),
        pytest.param("up to 15 militants were killed", (1, 15, 15), id="up to"),
    ],
)
def test_ranges(sentence: str, expected: tuple[int, int, int]) -> None:
    assert harm(sentence).killed == Casualties(*expected)


@pytest.mark.parametrize(
    ("sentence", "civilians"),
    [
        pytest.param("12 people, including three children, were killed", 3, id="a part"),
        pytest.param("nine civilians were killed", 9, id="all of them"),
        pytest.param("two civilians and five soldiers were killed", 2, id="a list"),
        pytest.param("five soldiers were killed", None, id="none said"),
    ],
)
def test_civilians(sentence: str, civilians: int | None) -> None:
    assert _best(harm(sentence).civilians_killed) == civilians


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("killed on tuesday", (3, 3)),
        ("killed late on wednesday", (4, 4)),
        ("killed on thursday night", (-2, -2)),
        ("killed yesterday", (3, 3)),
        ("killed last night", (3, 3)),
        ("killed this morning", (4, 4)),
        ("killed overnight", (3, 4)),
        ("killed two days ago", (2, 2)),
        ("killed on 3 march", (3, 3)),
        ("killed on march 3, 2020", (3, 3)),
        ("killed on 2020-03-01", (1, 1)),
        ("killed earlier this week", (2, 4)),
        ("killed over the past 24 hours", (3, 4)),
        ("killed in the last 48 hours", (2, 4)),
        ("police said on tuesday that four were killed on monday", (2, 2)),
        ("four were killed, police said on tuesday", (2, 3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_days(sentence: str, days: tuple[int, int]) -> None:
    found = when(sentence, TODAY).occurred
    assert found is not None
    start, end = (TODAY - timedelta(days=TODAY.day - day) for day in days)
    assert (found.start, found.end) == (start, end)


@pytest.mark.parametrize(
    ("sentence", "historical", "future"),
    [
        pytest.param("killed on 3 march 2012", True, False, id="an old date"),
        pytest.param("killed in 2001", True, False, id="an old year"),
        pytest.param("killed in august", True, False, id="a month long past"),
        pytest.param("killed in march", False, False, id="this month"),
        pytest.param("the worst since 2017", False, False, id="since is not then"),
        pytest.param("elections on 28 september 2020", False, True, id="a date ahead"),
        pytest.param("on 31 june", False, False, id="no such day"),
        pytest.param("nothing here", False, False, id="no day"),
    ],
)
def test_looking_back_and_ahead(sentence: str, historical: bool, future: bool) -> None:
    found = when(sentence, TODAY)
    assert (found.historical, found.future) == (historical, future)


@pytest.mark.parametrize(
    ("published", "country", "day"),
    [
        pytest.param(datetime(2020, 3, 3, 19, 15, tzinfo=UTC), "PAK", 4, id="past midnight there"),
        pytest.param(datetime(2020, 3, 3, 19, 15, tzinfo=UTC), "AFG", 3, id="not yet in Kabul"),
        pytest.param(datetime(2020, 3, 9, tzinfo=UTC), "AFG", 4, id="a clock that is ahead"),
        pytest.param(None, "AFG", 4, id="first seen, when not published"),
    ],
)
def test_the_local_day_of_a_report(published: datetime | None, country: str, day: int) -> None:
    seen = datetime(2020, 3, 4, 8, tzinfo=UTC)
    report = Report(id="a", source="s", seen_at=seen, title="t", published_at=published)
    assert anchor(report, country) == date(2020, 3, day)


@given(st.text(max_size=200))
def test_any_sentence_is_read(sentence: str) -> None:
    harm(sentence.lower())
    when(sentence.lower(), TODAY)
