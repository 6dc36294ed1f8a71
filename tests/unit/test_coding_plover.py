"""One English sentence to its PLOVER type: every type, its modes, and the traps that news sets."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding.plover import LONGEST, inflected, type_of
from detectors.records import Auxiliary, EventType


@pytest.mark.parametrize(
    ("sentence", "event", "mode"),
    [
        ("The two governments agreed to resume border talks next month.", "AGREE", None),
        ("Both sides reached an agreement on river water.", "AGREE", None),
        ("The leaders spoke by telephone about the crossing.", "CONSULT", "phone"),
        ("The delegations held a round of talks on Monday.", "CONSULT", None),
        ("The two countries signed a trade agreement on Monday.", "SUPPORT", None),
        ("The neighbours restored diplomatic ties after two years.", "SUPPORT", None),
        ("The two navies held joint exercises in the Arabian Sea.", "COOPERATE", None),
        ("The agencies shared intelligence on smuggling routes.", "COOPERATE", None),
        ("The agency delivered food aid to displaced families in Herat.", "AID", None),
        ("The government granted political asylum to nine families.", "AID", None),
        ("The government lifted the ban on the party.", "CONCEDE", None),
        ("The governor gave in and accepted the strikers' demands.", "CONCEDE", None),
        ("The army withdrew its troops from the valley.", "RETREAT", "withdraw"),
        ("The militia released twelve hostages near Kandahar.", "RETREAT", "release"),
        ("The group declared a ceasefire for the three days of Eid.", "RETREAT", "ceasefire"),
        ("The fighters laid down their arms.", "RETREAT", "disarm"),
        ("The council demanded the withdrawal of foreign forces.", "REQUEST", "yield"),
        ("Aid agencies appealed for funds for winter shelter.", "REQUEST", "assist"),
        ("Opposition parties called for new elections.", "REQUEST", "change"),
        ("The ministry condemned the shelling of villages.", "ACCUSE", "disapprove"),
        ("Islamabad accused Kabul of sheltering militants.", "ACCUSE", "allege"),
        ("The ministry summoned the ambassador over the incident.", "ACCUSE", "allege"),
        ("Prosecutors opened an investigation into lost funds.", "ACCUSE", "investigate"),
        ("The Taliban rejected an offer of direct talks.", "REJECT", "meet"),
        ("The council refused to release the prisoners.", "REJECT", "yield"),
        ("The ministry threatened to close the crossing.", "THREATEN", "restrict"),
        ("The commander threatened to attack the dam.", "THREATEN", "violence"),
        ("Thousands of traders protested against new taxes in Quetta.", "PROTEST", "demo"),
        ("Students went on a hunger strike at the university.", "PROTEST", "hunger"),
        ("Protesters blocked the highway at Chaman.", "PROTEST", "obstruct"),
        ("Rioters threw stones at police in Karachi.", "PROTEST", "riot"),
        ("The donor suspended aid to the province.", "SANCTION", "discontinue"),
        ("Pakistan recalled its ambassador from Kabul.", "SANCTION", "withdraw"),
        ("The army deployed troops along the border.", "MOBILIZE", "troops"),
        ("The province deployed police around polling stations.", "MOBILIZE", "police"),
        ("Authorities imposed a curfew in Quetta.", "COERCE", "curfew"),
        ("Police arrested 40 activists in Lahore.", "COERCE", "arrest"),
        ("Pakistan deported 900 people through Torkham.", "COERCE", "deport"),
        ("The council imposed sanctions on the bank.", "SANCTION", "discontinue"),
        ("Gunmen abducted three engineers in Zabul.", "ASSAULT", "abduct"),
        ("Warplanes bombed positions in Kunar.", "ASSAULT", "aerial"),
        ("A suicide bomber blew himself up near a bank.", "ASSAULT", "suicide-attack"),
        ("Gunmen shot dead two traders in Peshawar.", "ASSAULT", "firearms"),
        ("A roadside bomb killed three soldiers in Helmand.", "ASSAULT", "explosives"),
        ("Two mortar shells hit a house, and soldiers were killed.", "ASSAULT", "heavy-weapons"),
    ],
)
def test_a_plain_sentence_of_each_type(sentence: str, event: str, mode: str | None) -> None:
    found = type_of(sentence)
    assert (found.event, found.mode) == (event, mode), found


@pytest.mark.parametrize(
    ("sentence", "event"),
    [
        pytest.param("Kabul accused militants of killing nine men.", "ACCUSE", id="accusing"),
        pytest.param("The council condemned the suicide attack.", "ACCUSE", id="condemning"),
        pytest.param("The group threatened to kill its hostages.", "THREATEN", id="threatening"),
        pytest.param("The rebels agreed to release the hostages.", "AGREE", id="agreeing"),
        pytest.param("The army refused to withdraw its troops.", "REJECT", id="refusing"),
        pytest.param("Villagers demanded an end to air strikes.", "REQUEST", id="demanding"),
    ],
)
def test_an_act_of_speech_governs_what_it_speaks_of(sentence: str, event: str) -> None:
    assert type_of(sentence).event == event


@pytest.mark.parametrize(
    ("sentence", "event"),
    [
        pytest.param(
            "After violent protests, the governor imposed a curfew.", "COERCE", id="after first"
        ),
        pytest.param(
            "The army deployed troops following an ambush on a convoy.", "MOBILIZE", id="following"
        ),
        pytest.param("A man, who abducted an engineer in Zabul, was deported.", "COERCE", id="who"),
    ],
)
def test_the_background_gives_way_to_what_is_told(sentence: str, event: str) -> None:
    assert type_of(sentence).event == event


@pytest.mark.parametrize(
    ("sentence", "event", "auxiliary"),
    [
        ("The donor may suspend aid to the group.", "SANCTION", ("hypothetical",)),
        ("Police did not arrest the activists.", "COERCE", ("negated",)),
        ("Ten years ago gunmen abducted three engineers.", "ASSAULT", ("historical",)),
        ("The delegations will hold talks on Monday.", "AGREE", ()),
        ("The ministry said it would provide food aid.", "AGREE", ()),
        ("The ministry said it will close the border.", "THREATEN", ()),
        ("Police arrested 40 activists in Lahore.", "COERCE", ()),
    ],
)
def test_cues_weaken_an_act_and_a_promise_is_an_agreement(
    sentence: str, event: str, auxiliary: tuple[Auxiliary, ...]
) -> None:
    found = type_of(sentence)
    assert (found.event, found.auxiliary) == (event, auxiliary), found


@pytest.mark.parametrize(
    "sentence",
    [
        "The bowler struck again and the visitors collapsed.",
        "The bank released its annual report on Monday.",
        "The company agreed to buy the warehouse.",
        "Air conditioning sales rose in March.",
        "The striker shot past the goalkeeper in the final.",
        "A bus plunged into a ravine, killing 20 passengers.",
        "An earthquake killed 40 people in Paktika.",
        "The film about the war won three prizes.",
        "The minister opened a new library.",
        "Wheat prices rose by four per cent.",
        "The team will meet the champions in the cup final.",
        "A heart attack killed the author at 80.",
        "She demonstrated that the method works.",
        "The band released a new album.",
        "Scientists called the result a bombshell.",
        "Visitors will find the library on Market Street.",
        "The talks show is back on the radio.",
        "",
        "   ",
        "۔ ؟ !",
    ],
)
def test_ordinary_news_is_never_certain(sentence: str) -> None:
    assert not type_of(sentence).certain, type_of(sentence)


def test_the_rule_and_span_that_decided_are_given() -> None:
    sentence = "Late on Monday, Kābul’s council rejected an offer of direct talks."
    found = type_of(sentence)
    start, end = found.span
    assert found.rule == "~reject .. @TALKS"
    assert sentence[start:end] == "rejected an offer of direct talks"


def test_words_are_whole_and_in_reach_of_each_other() -> None:
    assert type_of("The skippers unarrested the tiller.").event is None
    far = " ".join(["of the long and winding valley"] * 4)
    assert type_of(f"He rejected the map {far} before the talks.").rule != "~reject .. @TALKS"


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("attack", {"attack", "attacks", "attacked", "attacking"}),
        ("seize", {"seize", "seizes", "seized", "seizing"}),
        ("deny", {"deny", "denies", "denied", "denying"}),
        ("deploy", {"deploy", "deploys", "deployed", "deploying"}),
        ("clash", {"clash", "clashes", "clashed", "clashing"}),
    ],
)
def test_a_regular_verb_has_its_forms(lemma: str, forms: set[str]) -> None:
    assert inflected(lemma) == forms


def _rows() -> list[dict[str, str]]:
    text = resources.files("detectors.coding").joinpath("acts_en.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_class_of_the_table_is_known_and_every_type_has_rules() -> None:
    other = {
        "verb", "set", "mask", "natural", "historical", "negated", "future", "hypothetical",
        "background",
    }  # fmt: skip
    classes = {row["class"].rstrip("?") for row in _rows()}
    assert classes - other == set(get_args(EventType))
    assert all(row["reviewer"] for row in _rows())


def test_a_term_has_one_type_and_its_sets_exist() -> None:
    rules = [row["term"] for row in _rows() if row["class"][0].isupper()]
    assert [term for term, count in Counter(rules).items() if count > 1] == []
    sets = {row["mode"] for row in _rows() if row["class"] == "set"}
    named = {word[1:] for term in rules for word in term.split() if word.startswith("@")}
    assert named <= sets


@given(st.text(max_size=300))
def test_any_text_is_read_and_the_answer_is_consistent(text: str) -> None:
    found = type_of(text)
    start, end = found.span
    assert 0 <= start <= end <= len(text)
    assert (found.event is None) == (not found.rule)
    assert found.event is not None or not (found.certain or found.mode or found.auxiliary)
    assert found == type_of(text)


def test_what_comes_after_the_longest_sentence_is_not_read() -> None:
    assert type_of("x" * LONGEST + " Police arrested 40 activists.").event is None
