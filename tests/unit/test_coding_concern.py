"""Whom it concerns that a group is said to shelter somewhere: two states, and the group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from detectors.coding import Coded, code
from detectors.coding.concern import homes, relations
from detectors.records import Event, IncidentRecord, Interval, Report
from detectors.signals.complicity import Complicity
from detectors.signals.sanctuary import SanctuaryPressure
from detectors.world.units import UNITS
from tests.core_records import clock
from tests.signal_records import run

AT = datetime(2025, 10, 14, 9, tzinfo=UTC)
SHELTER = {"sanctuary_alleged", "sanctuary_denied"}


def coded(title: str, at: datetime = AT, source: str = "s", text: str = "") -> Coded:
    report = Report(
        id=f"{source}-{at:%j}",
        source=source,
        seen_at=at,
        title=title,
        text=text,
        published_at=at,
        publisher=source,
    )
    (found,) = code([report])
    return found


def dyads(found: Coded) -> list[str]:
    return [e.unit for e in found.events if e.unit in UNITS and UNITS[e.unit].kind == "dyad"]


# fmt: off
#: What is said, the relation that it concerns, and the group, if one is named.
DESIGNED = [
    ("The TTP has safe havens in Afghanistan", "AFG~PAK", "ttp"),
    ("TTP sanctuaries in Afghan territory, Islamabad says", "AFG~PAK", "ttp"),
    ("Pakistan says TTP has sanctuaries in Afghanistan", "AFG~PAK", "ttp"),
    ("TTP operating from Afghan soil, says Pakistan's foreign office", "AFG~PAK", "ttp"),
    ("Kabul denies TTP safe havens in Afghanistan", "AFG~PAK", "ttp"),
    ("Kabul denies presence of TTP in Afghanistan", "AFG~PAK", "ttp"),
    (
        "Taliban government is sheltering TTP fighters, Pakistan's defence minister says",
        "AFG~PAK",
        "ttp",
    ),
    ("TTP fighters have safe havens in Khost and Paktika, Pakistan's army says", "AFG~PAK", "ttp"),
    ("UN report: TTP has sanctuaries in Afghanistan", "AFG~PAK", "ttp"),
    ("Pakistan accuses Afghanistan of giving sanctuary to BLA", "AFG~PAK", "bla"),
    ("IS-K has sanctuaries in Pakistan, Kabul says", "AFG~PAK", "iskp"),
    ("Afghan officials say ISKP has training camps in Balochistan", "AFG~PAK", "iskp"),
    (
        "Pakistan denies ISKP has safe havens on its soil, Taliban spokesman says",
        "AFG~PAK",
        "iskp",
    ),
    ("Jaish al-Adl has safe havens in Pakistan, Tehran says", "IRN~PAK", "jaish-al-adl"),
    ("Iran says Jaish al-Adl has safe havens in Balochistan", "IRN~PAK", "jaish-al-adl"),
    ("India says Jaish-e-Mohammed has camps in Pakistan", "IND~PAK", "jaish-e-mohammed"),
    ("TTP has hideouts in North Waziristan, police say", "", "ttp"),
    ("Afghan soil is being used by TTP, Islamabad says", "AFG~PAK", "ttp"),
    ("TTP sanctuaries in Afghanistan must be dismantled, Pakistan tells UN", "AFG~PAK", "ttp"),
    ("No TTP safe havens in Afghanistan, Taliban spokesman says", "AFG~PAK", "ttp"),
    ("Militants have safe havens in Afghanistan, Pakistan's army chief says", "AFG~PAK", ""),
    (
        "Pakistan complains of sanctuaries for terrorists across the border in Afghanistan",
        "AFG~PAK",
        "",
    ),
    ("Islamabad accuses Kabul of harbouring militants", "AFG~PAK", ""),
    ("Islamabad accuses Kabul of harbouring the TTP", "AFG~PAK", "ttp"),
    ("تحریک طالبان پاکستان در افغانستان پناهگاه امن دارد", "AFG~PAK", "ttp"),
    ("اسلام‌آباد می‌گوید که تی‌تی‌پی در خاک افغانستان پناهگاه دارد", "AFG~PAK", "ttp"),
    ("ټي ټي پي په افغانستان کې خوندي پټنځایونه لري", "AFG~PAK", "ttp"),
    ("ٹی ٹی پی کی افغانستان میں محفوظ پناہ گاہیں ہیں، پاکستان", "AFG~PAK", "ttp"),
    ("افغان سرزمین ٹی ٹی پی کے استعمال میں ہے، دفتر خارجہ", "AFG~PAK", "ttp"),
    ("قالت إسلام آباد إن حركة طالبان باكستان لديها ملاذات آمنة في أفغانستان", "AFG~PAK", "ttp"),
]
#: The same in wordings that were written down before the rules, or after them without a look.
OTHERS = [
    (
        "Pakistani Taliban militants enjoy sanctuary in eastern Afghanistan, "
        "says UN monitoring team",
        "AFG~PAK",
        "ttp",
    ),
    ("Islamabad reiterates concern over TTP sanctuaries in Kunar", "AFG~PAK", "ttp"),
    (
        "Pakistan's foreign office says Tehreek-e-Taliban Pakistan has bases in Khost",
        "AFG~PAK",
        "ttp",
    ),
    ("Afghan Taliban deny TTP fighters have hideouts in Paktika", "AFG~PAK", "ttp"),
    ("TTP commanders have taken refuge in Afghanistan", "AFG~PAK", "ttp"),
    ("Kabul rejects claims that TTP uses Afghan soil against Pakistan", "AFG~PAK", "ttp"),
    ("BLA training camps exist in Kandahar, Pakistani officials say", "AFG~PAK", "bla"),
    ("Pakistan says Baloch Liberation Army has sanctuaries in Afghanistan", "AFG~PAK", "bla"),
    (
        "Islamic State Khorasan has hideouts in Pakistan, Taliban government says",
        "AFG~PAK",
        "iskp",
    ),
    ("Afghanistan says ISKP has safe havens across the border in Pakistan", "AFG~PAK", "iskp"),
    ("Terrorists have sanctuaries on Afghan soil, Pakistan's prime minister says", "AFG~PAK", ""),
    ("Tehran says Jaish al-Adl has safe havens in Pakistan", "IRN~PAK", "jaish-al-adl"),
    ("BLA has safe havens in Iran, Islamabad says", "IRN~PAK", "bla"),
    ("Pakistan urges Kabul to end TTP safe havens", "AFG~PAK", "ttp"),
    ("TTP has safe havens in South Waziristan, residents say", "", "ttp"),
    ("Jamaat-ul-Ahrar has safe havens in Nangarhar", "AFG~PAK", "jamaat-ul-ahrar"),
    ("پاکستان می‌گوید که تحریک طالبان پاکستان در افغانستان پناهگاه دارد", "AFG~PAK", "ttp"),
    ("کابل وجود پناهگاه تحریک طالبان پاکستان در افغانستان را رد کرد", "AFG~PAK", "ttp"),
    ("پاکستان وايي چې ټي ټي پي په افغانستان کې پټنځایونه لري", "AFG~PAK", "ttp"),
    ("پاکستان کا کہنا ہے کہ ٹی ٹی پی کی افغانستان میں پناہ گاہیں ہیں", "AFG~PAK", "ttp"),
    ("کالعدم ٹی ٹی پی کے افغانستان میں محفوظ ٹھکانے ہیں", "AFG~PAK", "ttp"),
    ("حركة طالبان باكستان لديها ملاذات آمنة في أفغانستان", "AFG~PAK", "ttp"),
    ("Pakistan's UN envoy says TTP enjoys safe haven in Afghanistan", "AFG~PAK", "ttp"),
    (
        "TTP militants are operating from Afghan territory, Pakistan's prime minister says",
        "AFG~PAK",
        "ttp",
    ),
    ("China urges Kabul to act against TTP sanctuaries in Afghanistan", "AFG~PAK", "ttp"),
    ("Safe havens for the TTP remain in eastern Afghanistan, report finds", "AFG~PAK", "ttp"),
    ("Afghanistan rejects Pakistan's claim of TTP hideouts on its soil", "AFG~PAK", "ttp"),
    ("Taliban official says ISKP has training camps in Khyber Pakhtunkhwa", "AFG~PAK", "iskp"),
    ("Iran accuses Pakistan of sheltering Jaish al-Adl", "IRN~PAK", "jaish-al-adl"),
    ("Afghan soil must not be used against Pakistan, foreign office says", "AFG~PAK", ""),
    ("پاکستان افغانستان را به پناه دادن به تحریک طالبان پاکستان متهم کرد", "AFG~PAK", "ttp"),
    ("افغانستان نے ٹی ٹی پی کو پناہ دینے کا الزام مسترد کر دیا", "AFG~PAK", "ttp"),
    ("پاکستان افغانستان تورنوي چې ټي ټي پي ته یې پناه ورکړې", "AFG~PAK", "ttp"),
]
#: A state that is said to back a group.
BACKED = [
    ("Islamabad accuses Kabul of backing the TTP", "AFG~PAK", "ttp"),
    (
        "Pakistan's foreign office accuses the Taliban government of supporting TTP",
        "AFG~PAK",
        "ttp",
    ),
    ("Kabul accuses Pakistan of backing ISKP", "AFG~PAK", "iskp"),
    ("Taliban spokesman accuses Pakistan's ISI of supporting ISKP", "AFG~PAK", "iskp"),
    ("Pakistan accuses India of funding the BLA", "IND~PAK", "bla"),
    ("New Delhi accused of backing Baloch Liberation Army", "IND~PAK", "bla"),
    ("Kabul denies backing the TTP", "AFG~PAK", "ttp"),
    ("Afghan Taliban denies supporting TTP", "AFG~PAK", "ttp"),
]
# fmt: on


@pytest.mark.parametrize(("title", "dyad", "group"), [*DESIGNED, *OTHERS])
def test_a_shelter_concerns_two_states_and_the_group(title: str, dyad: str, group: str) -> None:
    found = coded(title)
    assert dyads(found) == ([dyad] if dyad else [])
    assert not SHELTER.isdisjoint(found.events[0].themes)
    assert not group or group in [e.unit for e in found.events]


@pytest.mark.parametrize(("title", "dyad", "group"), BACKED)
def test_a_backer_concerns_two_states_and_the_group(title: str, dyad: str, group: str) -> None:
    found = coded(title)
    assert dyads(found) == [dyad]
    assert found.events[0].themes in (("complicity_alleged",), ("complicity_denied",))
    assert group in [e.unit for e in found.events]


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("TTP has hideouts in North Waziristan, police say", id="at home"),
        pytest.param("ISKP has training camps in Nangarhar, residents say", id="at home, Afghan"),
        pytest.param("Al-Qaeda has safe havens in Afghanistan", id="a group of no country"),
        pytest.param("Militants have safe havens in Kunar, residents say", id="no group, no state"),
        pytest.param("TTP fighters attack a police post in Bannu, killing four", id="violence"),
        pytest.param("Taliban leader praises TTP fighters in Kunar", id="no shelter"),
    ],
)
def test_no_relation_is_concerned(title: str) -> None:
    found = coded(title)
    assert found.events
    assert dyads(found) == []


def test_a_shelter_is_on_the_soil_named_and_not_where_who_tells_of_it_sits() -> None:
    for title in (
        "Pakistan says TTP has sanctuaries in Afghanistan",
        "There are no TTP hideouts in Afghanistan, Kabul's spokesman says",
        "Anti-Pakistan militants enjoy sanctuary in Afghanistan, Islamabad's envoy tells UN",
        "TTP uses Afghan territory to attack us, says Pakistan's foreign office",
    ):
        place = coded(title).events[0].place
        assert place is not None
        assert (place.country, place.admin1) == ("AFG", None), title
    place = coded("TTP has safe havens in Khost, Islamabad says").events[0].place
    assert place is not None
    assert place.admin1 == "AF-KHO"


def test_violence_told_with_an_allegation_stays_where_it_is() -> None:
    found = coded(
        "Bomb kills ten in Bannu", text="The TTP has safe havens in Afghanistan, officials said."
    )
    assert found.events[0].event == "ASSAULT"
    assert dyads(found) == []


def test_the_taliban_shelter_nobody_as_a_group_once_they_govern() -> None:
    assert homes(["taliban"], date(2020, 1, 1)) == {"AFG"}
    assert homes(["taliban"], date(2024, 1, 1)) == set()
    assert homes(["ttp", "iskp", "al-qaida", "nobody"], date(2024, 1, 1)) == {"PAK", "AFG"}


def test_relations_need_soil_and_another_state() -> None:
    assert relations(["sanctuary_alleged"], None, ["PAK"], ["PAK"]) == ()
    assert relations(["sanctuary_alleged"], "PAK", ["PAK"], ["PAK"]) == ()
    assert relations(["truce"], "AFG", ["PAK"], ["PAK"]) == ()
    # Who else accuses is a party of its own, the group's country the other.
    assert relations(["sanctuary_denied"], "PAK", ["USA"], ["AFG"]) == ("AFG~PAK", "PAK~USA")
    # Where both states are named, the group's own country adds none.
    assert relations(["complicity_alleged"], None, ["PAK", "USA"], ["AFG"]) == ()


def test_a_record_concerns_them_too() -> None:
    record = IncidentRecord(
        event="ACCUSE",
        occurred=Interval(date(2024, 2, 1), date(2024, 2, 1)),
        country="AFG",
        actors=("TTP",),
        themes=("sanctuary_alleged",),
    )
    (found,) = code([Report(id="x", source="s", seen_at=AT, title="x", record=record)])
    assert [e.unit for e in found.events] == ["AFG", "AFG~PAK", "ttp"]


# What the signals see of it


def told(said: Sequence[tuple[int, str, str]]) -> list[Event]:
    """Return what is told of AFG~PAK: by day, outlet and headline."""
    found = [coded(title, clock(on, hours=12), source) for on, source, title in said]
    return [e for each in found for e in each.events if e.unit == "AFG~PAK"]


def test_sanctuary_pressure_hears_both_states_and_the_un() -> None:
    events = told(
        [
            (40, "wire", "The TTP has safe havens in Khost, Pakistan's foreign office says"),
            (41, "post", "Pakistan's army says TTP has safe havens in Khost"),
            (43, "wire", "TTP has safe havens in Khost, UN says"),
            (44, "post", "UN report says TTP enjoys safe havens in Khost"),
            (45, "review", "Residents say TTP has safe havens in Khost"),
            (46, "herald", "TTP has safe havens in Khost, residents say"),
        ]
    )
    assert len(events) == 6
    found = run(SanctuaryPressure(), events, 60, unit="AFG~PAK")
    assert set(found.state.beliefs) == {"ttp@AFG"}
    sides = set(found.state.beliefs["ttp@AFG"].asserted)
    assert sides == {"pak-authorities", "un", "independent"}
    assert max(s or 0.0 for s in found.strengths(43, 59)) > 1.0


def test_sanctuary_pressure_hears_a_denial() -> None:
    events = told([(40, "wire", "Kabul denies TTP safe havens in Khost")])
    found = run(SanctuaryPressure(), events, 60, unit="AFG~PAK")
    assert set(found.state.beliefs["ttp@AFG"].denied) == {"afg-authorities"}


def test_complicity_hears_who_accuses() -> None:
    events = told(
        [
            (40, "wire", "Islamabad accuses Kabul of backing the TTP"),
            (41, "post", "Kabul accuses Pakistan of backing ISKP"),
        ]
    )
    found = run(Complicity(), events, 60, unit="AFG~PAK")
    wanted = {"side:pak-authorities", "side:afg-authorities", "wire", "post"}
    assert set(found.state.accusers) == wanted
