"""`tocsin code`: how a text is read, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.codecs import encode
from streams.scenarios.render import render
from tests.filled_store import answer, tocsin


def test_it_shows_the_event_the_words_and_what_they_mean() -> None:
    found = tocsin("code", "--on", "2020-03-04", "Bomb kills 12 people in Kunduz on Tuesday")
    assert found.exit_code == 0, found.stderr
    for words in ("ASSAULT", "AF-KDZ, AFG", "2020-03-03", "term: kill", "place: Kunduz"):
        assert words in found.stdout


@pytest.mark.parametrize(
    ("text", "language", "unit"),
    [
        ("در انفجار ماین در کندز ۱۲ تن کشته شدند", "fa", "AF-KDZ"),
        ("په کندهار کې په چاودنه کې ۱۲ کسان ووژل شول", "ps", "AF-KAN"),
        ("پشاور میں خودکش حملے میں 12 افراد ہلاک ہو گئے", "ur", "PK-KP"),
        ("مقتل 12 شخصا في تفجير بمدينة كابول", "ar", "AF-KAB"),
    ],
)
def test_it_reads_five_languages(text: str, language: str, unit: str) -> None:
    (found,) = answer("code", text)
    assert found["trace"]["language"] == language
    event, *_ = found["trace"]["coded"]["events"]
    assert (event["unit"], event["killed"]["best"]) == (unit, 12)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("Prices rise in Paris", "left at once", id="nothing of these countries"),
        pytest.param(
            "Attentat à Kaboul: six morts et des blessés dans la ville",
            "not in a language",
            id="French",
        ),
        pytest.param(
            "No one was killed in the attack that police foiled in Quetta",
            "kept, but not counted",
            id="foiled",
        ),
    ],
)
def test_it_says_why_nothing_counts(text: str, told: str) -> None:
    found = tocsin("code", text)
    assert found.exit_code == 0, found.stderr
    assert told in found.stdout


def test_a_name_that_is_also_a_word_is_shown_as_rejected() -> None:
    found = tocsin("code", "Kabul: The Logar family wins prize")
    assert found.exit_code == 0, found.stderr
    assert "REJECTED" not in found.stdout
    found = tocsin("code", "Afghan cricket: Ghor Khan hits a century")
    assert "says: " in found.stdout


def test_reports_come_from_a_file(tmp_path: Path) -> None:
    reports = list(render())[:5]
    path = tmp_path / "reports.jsonl"
    path.write_bytes(b"\n".join(encode(report) for report in reports))
    found = answer("code", "--file", str(path))
    assert [each["report"] for each in found] == [report.id for report in reports]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param((), "either a text or --file", id="nothing"),
        pytest.param(("text", "--file", "x"), "either a text or --file", id="both"),
        pytest.param((" ",), "the text is empty", id="blank"),
        pytest.param(("--file", "no-such-file"), "No such file", id="no such file"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: tuple[str, ...], told: str) -> None:
    found = tocsin("code", *arguments)
    assert found.exit_code == 2
    assert told in found.stderr


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('{"type": "report.v1"}\n', encoding="utf-8")
    found = tocsin("code", "--file", str(path))
    assert found.exit_code == 2
    assert "line 1" in found.stderr
