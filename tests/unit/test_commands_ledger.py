"""`tocsin ledger`, on a store of invented alerts and scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from detectors.records import Alert, Outcome, Record, Score
from streams.store import Store
from streams.wording import DISCLAIMER
from tests.alert_records import OPENED, alert, score
from tests.filled_store import answer, tocsin

#: Days of counts before the burst.
PAST = 130


def _store(folder: Path, records: Sequence[Record]) -> Path:
    with Store(f"sqlite:///{folder / 'store.sqlite'}") as store:
        store.apply("tocsin.test", [(0, n, each) for n, each in enumerate(records)])
    return folder


def _settled(number: int, probability: float, verdict: str | None) -> Alert:
    base = alert(number, id=f"S1-rise-AF-KAN-{number}", signal="S1")
    outcome = Outcome(verdict, base.at, 3, f"because {verdict}") if verdict else None  # type: ignore[arg-type]
    return replace(base, claim=replace(base.claim, probability=probability), outcome=outcome)


def _claims(count: int) -> list[Alert]:
    """Return claims of 20 and 80 % in turn: a fifth and four fifths of them came true."""
    return [
        _settled(n, (0.2, 0.8)[n % 2], "HIT" if n % 10 in (0, 1, 3, 5, 7) else "FALSE")
        for n in range(count)
    ]


def _daily(count: int, unit: str = "AF-KAN") -> list[Score]:
    """Return a score on each of so many days, in full coverage."""
    days = [OPENED + timedelta(days=n) for n in range(count)]
    return [score(at, unit, signal="S1", id=f"S1/rise/{unit}/{at}") for at in days]


def _counted() -> tuple[list[Record], Score]:
    """Return records that together tell of `PAST` steady days, and the score after a burst."""
    counts = [int(n % 4 == 0) for n in range(PAST)] + [3, 4, 3, 4] + [0] * 10
    first = date(2026, 1, 1)
    told: list[Record] = [score(datetime(2026, 1, 1, 12, tzinfo=UTC), signal="S1")]
    for end in range(27, len(counts), 20):
        on = first + timedelta(days=end)
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        daily = tuple(counts[end - 27 : end + 1])
        each = alert(-90, len(told), signal="S1", id="S1-rise-AF-KAN-x", at=at, daily=daily)
        told.append(replace(each, series_end=on))
    last = first + timedelta(days=len(counts) - 1)
    at = datetime(last.year, last.month, last.day, 12, tzinfo=UTC)
    return told, score(at, signal="S1", daily=tuple(counts[-28:]), series_end=last)


def test_the_record_in_numbers(tmp_path: Path) -> None:
    void = _settled(50, 0.5, "VOID")
    folder = _store(tmp_path, [*_claims(40), void, _settled(51, 0.5, None), *_daily(73)])
    found = answer("ledger", data=folder)
    whole = found["rows"][0]
    assert whole["skill"] | {"log_score": 0} == whole["skill"] | {
        "claims": 42, "hits": 20, "false": 20, "void": 1, "open": 1, "log_score": 0,
    }  # fmt: skip
    assert whole["unit_years"] == pytest.approx(73 / 365.25, abs=1e-3)
    assert whole["false_per_year"] == pytest.approx(20 / (73 / 365.25))
    assert [each["share"] for each in whole["calibration"]["curve"]] == pytest.approx([0.2, 0.8])
    assert found["void"] == {"because VOID": 1}
    assert found["disclaimer"] == DISCLAIMER


def test_every_number_is_told_with_its_count_and_interval(tmp_path: Path) -> None:
    folder = _store(tmp_path, [*_claims(40), *_daily(73)])
    told = tocsin("ledger", "--by", "unit", data=folder)
    assert told.exit_code == 0
    for words in (
        "40 claims: 20 came true, 20 did not, 0 void, 0 not due",
        "Came true: 50% (35% to 65%), n 40",
        "20 in 0.2 unit-years",
        "Calibration error 0.000",
        "n 40, 2 bins",
        "Kandahar",
        "not asked for",
        DISCLAIMER,
    ):
        assert words in told.stdout


@pytest.mark.parametrize("by", ["signal", "unit", "horizon", "month"])
def test_each_way_to_group_is_there(by: str, tmp_path: Path) -> None:
    found = answer("ledger", "--by", by, data=_store(tmp_path, _claims(40)))
    rows = found["rows"]
    assert sum(row["skill"]["claims"] for row in rows[1:]) == rows[0]["skill"]["claims"] == 40


def test_too_few_are_told_as_too_few(tmp_path: Path) -> None:
    folder = _store(tmp_path, _claims(4))
    told = tocsin("ledger", data=folder)
    assert "Too few to tell: 4 settled" in told.stdout
    assert "False alarms per unit-year: not known" in told.stdout
    drawn = tocsin("ledger", "--plot", str(tmp_path / "curve.svg"), data=folder)
    assert drawn.exit_code == 1
    assert "fewer than 10 claims are settled" in drawn.stderr
    assert not (tmp_path / "curve.svg").exists()


def test_nothing_raised_is_nothing_to_show(tmp_path: Path) -> None:
    told = tocsin("ledger", data=_store(tmp_path, []))
    assert told.exit_code == 1
    assert "no alert was raised yet" in told.stderr


def test_a_miss_is_listed(tmp_path: Path) -> None:
    revisions, last = _counted()
    found = answer("ledger", "--misses", data=_store(tmp_path, [*revisions, last]))
    (call,) = found["calls"]
    assert call["onset"]["day"] == str(date(2026, 1, 1) + timedelta(days=PAST))
    assert (call["called"], call["alert"]) == ("missed", None)
    assert found["rows"][0]["leads"]["missed"] == 1
    assert found["sight"]["judged"] > 7
    told = tocsin("ledger", "--misses", data=tmp_path)
    assert "nobody warned" in told.stdout
    assert "1 missed" in told.stdout


def test_a_warning_is_no_miss(tmp_path: Path) -> None:
    revisions, last = _counted()
    onset = date(2026, 1, 1) + timedelta(days=PAST)
    opened = datetime(onset.year, onset.month, onset.day, tzinfo=UTC) - timedelta(days=3)
    base = alert(1, id="S1-rise-AF-KAN-warned", signal="S1", opened_at=opened)
    rule = replace(base.claim.resolver, last_day=onset + timedelta(days=9))
    warned = replace(base, claim=replace(base.claim, resolver=rule))
    found = answer("ledger", "--misses", data=_store(tmp_path, [*revisions, last, warned]))
    (call,) = found["calls"]
    assert (call["called"], call["alert"]) == ("ahead", warned.id)
    assert call["lead_days"] == pytest.approx(3 - 4.5 / 24, abs=1e-3)


def test_where_no_past_is_known_it_cannot_tell(tmp_path: Path) -> None:
    _, last = _counted()
    told = tocsin("ledger", "--misses", data=_store(tmp_path, [last]))
    assert told.exit_code == 0
    assert "too little to tell: nothing could be judged" in told.stdout


@pytest.mark.parametrize(
    ("name", "start"), [("curve.png", b"\x89PNG"), ("curve.svg", b"<?xml")], ids=["png", "svg"]
)
def test_the_curve_is_drawn_and_the_same_each_time(name: str, start: bytes, tmp_path: Path) -> None:
    folder = _store(tmp_path, _claims(40))
    pictures = []
    for turn in ("a", "b"):
        picture = tmp_path / f"{turn}-{name}"
        told = tocsin("ledger", "--plot", str(picture), "--json", data=folder)
        assert told.exit_code == 0
        pictures.append(picture.read_bytes())
    assert pictures[0].startswith(start)
    assert pictures[0] == pictures[1]
    assert b"40 settled claims" in pictures[0]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    told = tocsin("ledger", "--plot", "curve.gif", data=_store(tmp_path, _claims(40)))
    assert told.exit_code == 2
    assert ".png or .svg" in told.stderr
