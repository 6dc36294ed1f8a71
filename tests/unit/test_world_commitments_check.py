"""The registry of commitments: what its check refuses, and the command that shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detectors.world.commitments.check import Tables, problems, shipped
from tests.filled_store import answer, tocsin

CONTINUED = "reduction-in-violence-continued"


# What the check refuses


def changed(name: str, column: str, value: str, line: int = 2) -> Tables:
    """Return the package's tables with one cell changed."""
    tables = {each: list(getattr(shipped(), each)) for each in Tables.__struct_fields__}
    tables[name][line - 2] = {**tables[name][line - 2], column: value}
    return Tables(**tables)


@pytest.mark.parametrize(
    ("name", "column", "value", "said"),
    [
        ("commitments", "id", "Doha 2020", "has not the form"),
        ("commitments", "certainty", "certain", "is none of"),
        ("commitments", "source", "", "has no source"),
        ("commitments", "parties", "utopia", "there is no 'utopia'"),
        ("commitments", "parties", "un-members us", "obliged to nothing"),
        ("commitments", "superseded_by", "doha-1820", "there is no 'doha-1820'"),
        ("commitments", "superseded_by", "doha-2020", "takes its place"),
        ("commitments", "valid_from", "1999-02-30", "are no days"),
        ("commitments", "signed", "2001-01-01", "after the first day in force"),
        ("clauses", "id", "unsc-1267-2253", "has not the form"),
        ("clauses", "id", "no-such/part", "no commitment has the id"),
        ("clauses", "id", "unsc-1373/pakistan", "the same as line"),
        ("clauses", "obliged", "us-allies", "is obliged but no party"),
        ("clauses", "units", "AF-XXX", "no unit is meant by"),
        ("clauses", "units", "AFG A*", "names a unit twice"),
        ("clauses", "due", "1998-01-01", "lies outside the days"),
        ("clauses", "due", "soon", "neither a day"),
        ("clauses", "statement", " ", "has no statement"),
        ("parties", "id", "taliban", "is an organisation of the actor registry"),
        ("parties", "kind", "empire", "is none of"),
        ("parties", "actors", "us-army", "there is no 'us-army'"),
        ("evidence", "sign", "±", "is neither + nor -"),
        ("evidence", "weight", "nan", "is not above 0"),
        ("evidence", "weight", "9", "is not above 0"),
        ("evidence", "event", "WAR", "there is no event 'WAR'"),
        ("evidence", "theme", "weather", "there is no theme 'weather'"),
        ("evidence", "mode", "sneeze", "has no mode 'sneeze'"),
        ("evidence", "contexts", "sports", "there is no contexts 'sports'"),
        ("evidence", "countries", "AF", "is no ISO 3166-1"),
        ("evidence", "clause", "doha-2020/peace", "no clause has the id"),
        ("evidence", "clause", "", "it names no clause"),
        ("evidence", "acting", "any-country", "no organisation acts for"),
        ("evidence", "upon", "taliban", "on both sides: taliban"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(name: str, column: str, value: str, said: str) -> None:
    found = [each for each in problems(changed(name, column, value)) if said in each.text]
    assert found, problems(changed(name, column, value))[:5]
    assert {each.table for each in found} == {f"commitments/{name}.csv"}


def _only(**cells: str) -> Tables:
    """Return the package's tables with a row of evidence added at the end."""
    empty = dict.fromkeys(shipped().evidence[0], "")
    row = {**empty, "sign": "+", "weight": "1", **cells}
    given = shipped()
    return Tables(given.commitments, given.clauses, [*given.evidence, row], given.parties)


def test_a_row_that_never_decides_or_fits_everything_is_refused() -> None:
    clause = "torkham-2025/ceasefire"
    hidden = _only(clause=clause, event="ASSAULT", theme="border_fire")
    assert any("decides before it" in each.text for each in problems(hidden))
    seen = _only(clause=clause, theme="border_closed")
    assert problems(seen) == []
    wide = _only(clause=clause, event="ASSAULT")
    assert any("everything would fit" in each.text for each in problems(wide))


def test_a_clause_on_which_nothing_bears_must_say_so() -> None:
    given = shipped()
    silent = {**given.clauses[0], "id": "unsc-1267-2253/more", "note": ""}
    tables = Tables(given.commitments, [*given.clauses, silent], given.evidence, given.parties)
    assert any("no evidence bears on" in each.text for each in problems(tables))


def _without(column: str) -> Iterator[dict[str, str]]:
    for row in shipped().clauses:
        yield {key: value for key, value in row.items() if key != column}


def test_a_table_without_a_column_is_named_and_read_no_further() -> None:
    given = shipped()
    tables = Tables(given.commitments, list(_without("due")), given.evidence, given.parties)
    assert {each.text.partition(" ")[0] for each in problems(tables)} == {"the"}


# The command


def test_the_command_lists_what_was_in_force() -> None:
    found = tocsin("world", "commitments", "--on", "2020-03-04")
    assert found.exit_code == 0, found.stderr
    assert "doha-2020" in found.stdout
    assert CONTINUED in found.stdout
    assert "eid-2020-fitr" not in found.stdout


def test_the_command_shows_one_with_what_it_rests_on_and_what_bears_on_it() -> None:
    found = tocsin("world", "commitments", CONTINUED, "--on", "2020-03-04")
    assert found.exit_code == 0, found.stderr
    for words in ("claimed by one side", "DISPUTED", "in force on 2020-03-04", "suicide-attack"):
        assert words in found.stdout


def test_as_json_it_has_clauses_with_their_stage() -> None:
    found = answer("world", "commitments", "--on", "2020-03-11", "--unit", "AFG")
    stages = {each["clause"]["id"]: each["stage"] for each in found}
    assert stages["doha-2020/talks"] == "passed"
    assert stages["doha-2020/withdrawal-complete"] == "ahead"
    one = answer("world", "commitments", "doha-2020", "--on", "2020-03-11")
    assert one["in_force"] is True
    assert one["stages"]["doha-2020/talks"] == "passed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["doha"], "did you mean doha-2020"),
        (["--unit", "AF-KDX"], "did you mean"),
        (["--on", "1990-01-01"], "nothing in force on 1990-01-01"),
    ],
    ids=["no such commitment", "no such unit", "nothing in force"],
)
def test_what_cannot_be_shown_says_its_mend(given: list[str], words: str) -> None:
    found = tocsin("world", "commitments", *given)
    assert found.exit_code == 1
    assert words in found.stderr
    assert not found.stdout
