"""Two snapshots of a sanctions list: additions, removals, amendments."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding.actors import coded
from detectors.listdiff import Entry, Snapshot, changes, organisations, record
from detectors.world.actors import ACTORS
from tests.coding_measures import SHARED

UN_LIST = SHARED / "sanctions" / "un_entities_taliban_aq.json"
OLD, NEW = date(2026, 2, 1), date(2026, 2, 27)

TTP = Entry("QDe.132", "TEHRIK-E TALIBAN PAKISTAN (TTP)", ("Pakistani Taliban",), ("Al-Qaida",))
ETIM = Entry("QDe.088", "EASTERN TURKISTAN ISLAMIC MOVEMENT (ETIM)")
TRUST = Entry("QDe.005", "A TRUST OF NO INTEREST")


def chain(before: tuple[Entry, ...], after: tuple[Entry, ...]) -> tuple[Snapshot, Snapshot]:
    """Return two snapshots, one after the other."""
    old = Snapshot("un-1267", OLD, before)
    return old, Snapshot("un-1267", NEW, after, old.hash)


def test_what_came_what_went_and_what_changed() -> None:
    renamed = msgspec.structs.replace(TTP, aliases=("Pakistani Taliban", "TTP"))
    found = changes(*chain((TTP, TRUST), (renamed, ETIM)))
    assert [(c.kind, c.entry.reference, c.fields) for c in found] == [
        ("removal", "QDe.005", ()),
        ("addition", "QDe.088", ()),
        ("amendment", "QDe.132", ("aliases",)),
    ]
    assert {c.hash for c in found} == {chain((TTP, TRUST), (renamed, ETIM))[1].hash}


def test_order_is_no_change() -> None:
    one = msgspec.structs.replace(TTP, aliases=("a", "b"))
    other = msgspec.structs.replace(TTP, aliases=("b", "a"))
    old, new = chain((one, ETIM), (ETIM, other))
    assert changes(old, new) == ()


def test_the_hash_is_of_the_list_and_of_all_before_it() -> None:
    plain = Snapshot("un-1267", OLD, (TTP, ETIM))
    assert plain.hash == Snapshot("un-1267", NEW, (ETIM, TTP)).hash
    assert plain.hash != Snapshot("un-1267", OLD, (TTP,)).hash
    assert plain.hash != Snapshot("ofac", OLD, (TTP, ETIM)).hash
    assert plain.hash != Snapshot("un-1267", OLD, (TTP, ETIM), plain.hash).hash


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (Snapshot("ofac", NEW, ()), "does not follow"),
        (Snapshot("un-1267", date(2020, 1, 1), ()), "does not follow"),
        (Snapshot("un-1267", NEW, (), "0" * 64), "is not the hash"),
    ],
)
def test_what_does_not_follow_is_refused(new: Snapshot, fault: str) -> None:
    old = Snapshot("un-1267", OLD, (TTP,))
    with pytest.raises(ValueError, match=fault):
        changes(old, new)


def test_a_reference_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        changes(*chain((TTP,), (TTP, TTP)))


def test_changes_become_reports() -> None:
    dated = msgspec.structs.replace(ETIM, listed_on=date(2026, 2, 20))
    amended = msgspec.structs.replace(TTP, aliases=())
    found = {c.kind: record(c) for c in changes(*chain((TTP,), (amended, dated)))}
    added, changed = found["addition"], found["amendment"]
    assert added is not None
    assert changed is not None
    assert (added.event, added.themes) == ("SANCTION", ("designation",))
    assert added.occurred.start == date(2026, 2, 20)
    assert coded(added.actors, None, NEW) == ("etim",)
    assert (changed.event, changed.themes, changed.occurred.end) == ("SANCTION", (), NEW)
    assert coded(changed.actors, None, NEW) == ("ttp",)
    (removed,) = changes(*chain((TTP,), ()))
    gone = record(removed)
    assert gone is not None
    assert (gone.event, gone.themes, gone.mode) == ("RETREAT", ("delisting",), "ease")


def test_a_day_that_the_list_gives_but_nobody_saw_is_not_believed() -> None:
    long_ago = msgspec.structs.replace(ETIM, listed_on=date(2002, 9, 11))
    (added,) = changes(*chain((), (long_ago,)))
    found = record(added)
    assert found is not None
    assert found.occurred.start == NEW  # it was not there at the last look


def test_who_is_not_in_the_registry_makes_no_report() -> None:
    (added,) = changes(*chain((), (TRUST,)))
    assert record(added) is None


def test_an_abbreviation_alone_names_nobody() -> None:
    assert organisations(Entry("x", "Some Front", ("ISI", "TTP"))) == ()
    assert organisations(Entry("x", "Some Front / Tehreek-e-Taliban Pakistan")) == ("ttp",)


@given(st.lists(st.sampled_from((TTP, ETIM, TRUST)), unique=True))
def test_a_list_that_stays_has_no_changes(entries: list[Entry]) -> None:
    old, new = chain(tuple(entries), tuple(reversed(entries)))
    assert changes(old, new) == ()
    emptied = changes(*chain(tuple(entries), ()))
    assert {c.kind for c in emptied} == ({"removal"} if entries else set())
    assert len(emptied) == len(entries)


def _un_entries() -> tuple[Entry, ...]:
    rows = msgspec.json.decode(UN_LIST.read_bytes())
    return tuple(
        Entry(
            row["ref"],
            row["name"],
            (*row["aliases"], *([row["orig"]] if row["orig"] else [])),
            (row["list"],),
            date.fromisoformat(row["listed_on"][:10]),
        )
        for row in rows
    )


@pytest.mark.skipif(not UN_LIST.exists(), reason="the UN list of the shared data is not here")
def test_every_organisation_of_the_un_list_that_is_in_the_registry_is_found() -> None:
    known = {ref: each.id for each in ACTORS.values() for ref in each.identifiers}
    entries = _un_entries()
    found = {c.entry.reference: record(c) for c in changes(*chain((), entries))}
    listed = {ref: id for ref, id in known.items() if ref in found}
    assert len(listed) >= 18
    reports = {ref: each for ref, each in found.items() if each is not None}
    assert {ref: coded(reports[ref].actors, None, NEW) for ref in listed} == {
        ref: (id,) for ref, id in listed.items()
    }
    assert set(reports) == set(listed)  # and nobody else is taken for one of them


@pytest.mark.skipif(not UN_LIST.exists(), reason="the UN list of the shared data is not here")
def test_most_of_them_are_found_by_their_names_alone() -> None:
    known = {ref: each.id for each in ACTORS.values() for ref in each.identifiers}
    unreferenced = {
        each.reference: organisations(msgspec.structs.replace(each, reference="none"))
        for each in _un_entries()
    }
    hits = [ref for ref, id in known.items() if unreferenced.get(ref) == (id,)]
    wrong = [ref for ref, ids in unreferenced.items() if ids and ids != (known.get(ref),)]
    assert len(hits) >= 16
    assert wrong == []
