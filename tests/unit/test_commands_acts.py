"""Acts on alerts from the command line: what is refused before anything is sent, and what is told.

That acts reach the desk is tested on a broker (`tests/kafka/test_commands.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.records import Alert, Outcome, Remark, Scope, Silence
from streams.commands.silences import in_words, scope_of
from streams.store import Store
from tests.alert_records import OPENED, alert, score
from tests.filled_store import answer, tocsin

NOW = OPENED + timedelta(days=4, hours=6)


def _store(folder: Path, *alerts: Alert) -> Path:
    """A store whose newest stream time is `NOW`."""
    with Store(f"sqlite:///{folder / 'store.sqlite'}") as store:
        records = [*alerts, score(NOW)]
        store.apply("tocsin.test", [(0, n, each) for n, each in enumerate(records)])
    return folder


def _refused(folder: Path, *arguments: str, code: int) -> str:
    found = tocsin("alerts", *arguments, data=folder)
    assert (found.exit_code, found.stdout) == (code, "")
    return found.stderr


OVER = alert(1, id="over", state="resolved")
SEEN = alert(2, id="seen", state="acknowledged", acknowledged_by="desk", assigned_to="south")
LIVE = alert(2, id="live")


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (("acknowledge", "over", "--by", "desk"), "nothing left to acknowledge", 1),
        (("unacknowledge", "over", "--by", "desk"), "nothing left to unacknowledge", 1),
        (("assign", "over", "--to", "a", "--by", "desk"), "nothing left to assign", 1),
        (("retract", "over", "--by", "desk", "--reason", "x"), "nothing left to retract", 1),
        (("acknowledge", "seen", "--by", "b"), "acknowledged before, by desk", 1),
        (("assign", "seen", "--to", "south", "--by", "b"), "assigned to south already", 1),
        (("unacknowledge", "live", "--by", "desk"), "nobody has acknowledged live", 1),
        (("acknowledge", "nothing", "--by", "desk"), "there is no alert 'nothing'", 1),
        (("acknowledge", "lvie", "--by", "desk"), "did you mean live", 1),
        (("acknowledge", "live", "--by", " "), "--by names a desk or role", 2),
        (("assign", "live", "--to", "", "--by", "desk"), "--to names a desk or role", 2),
        (("note", "live", " ", "--by", "desk"), "TEXT takes 1 to 1,000 characters", 2),
        (("dispute", "live", "--by", "a", "--reason", "x" * 1_001), "--reason takes 1 to", 2),
    ],
)
def test_what_cannot_be_done_is_said_before_it_is_sent(
    arguments: Sequence[str], told: str, code: int, tmp_path: Path
) -> None:
    assert told in _refused(_store(tmp_path, OVER, SEEN, LIVE), *arguments, code=code)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--for", "1h"), "or say --everything"),
        (("--everything", "--unit", "AFG", "--for", "1h"), "leaves nothing to choose"),
        (("--unit", "Kandhar", "--for", "1h"), "did you mean Kandahar"),
        (("--signal", "S99", "--for", "1h"), "there is no signal 'S99'"),
        (("--direction", "up", "--for", "1h"), "there are rise, fall"),
        (("--unit", "AFG"), "say how long"),
        (("--unit", "AFG", "--for", "1h", "--until", "2026-03-09"), "say how long"),
        (("--unit", "AFG", "--for", "soon"), "write 12h or 3d"),
        (("--unit", "AFG", "--until", "soon"), "is no time"),
        (("--unit", "AFG", "--until", "2026-03-05T12:00Z"), "ends within 90 days of now"),
        (("--unit", "AFG", "--for", "91d"), "ends within 90 days of now"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_with_its_mend(
    options: Sequence[str], told: str, tmp_path: Path
) -> None:
    told_by = ("--by", "desk", "--reason", "works")
    assert told in _refused(_store(tmp_path, LIVE), "silence", *told_by, *options, code=2)


def test_a_scope_is_kept_in_codes_and_told_in_words() -> None:
    scope = scope_of(["kandahar", "AFG", "AF-KAN"], ["s14"], ["RISE"])
    assert scope == Scope(("AF-KAN", "AFG"), ("S14",), ("rise",))
    assert in_words(scope) == "Kandahar, Afghanistan; S14; rises"
    assert in_words(Scope()) == "everything"


def test_the_age_of_what_nobody_answers_is_told(tmp_path: Path) -> None:
    folder = _store(tmp_path, OVER, SEEN, LIVE, alert(4, id="new", state="frozen"))
    found = tocsin("alerts", "list", data=folder, COLUMNS="300")
    lines = {line.split()[0]: line for line in found.stdout.splitlines() if line.strip()}
    assert "unanswered 2 d" in lines["live"]
    assert "unanswered 6 h" in lines["new"]
    assert "desk acknowledged, assigned to south" in lines["seen"]
    assert "unanswered" not in lines["over"] + lines["seen"]
    assert "2 unanswered, the oldest for 2 d" in found.stderr


def test_what_is_silenced_or_disputed_says_so_in_the_list(tmp_path: Path) -> None:
    doubts = tuple(Remark("desk", NOW, "dispute", text) for text in ("old", "wrong place"))
    quiet = alert(2, id="quiet", remarks=doubts, silence=Silence("desk", NOW, "works"))
    told = tocsin("alerts", "list", data=_store(tmp_path, quiet), COLUMNS="300").stdout
    assert "unanswered 2 d, disputed 2 times, silenced until 2026-03-05 12:00 UTC" in told


def test_an_alert_is_shown_with_its_story_and_what_was_said_of_it(tmp_path: Path) -> None:
    doubt = Remark("desk", NOW, "dispute", "an old report")
    told = tocsin(
        "alerts", "show", "b", data=_store(tmp_path, alert(2, id="b", story="a", remarks=(doubt,)))
    )
    for words in (
        "Answer: unanswered 2 d, disputed",
        "Story: begun by a",
        "dispute by desk, 2026-03-05 12:00 UTC: an old report",
    ):
        assert words in told.stdout


# The ledger


def _record(folder: Path) -> Path:
    doubt = Remark("desk", NOW, "dispute", "an old report")
    hit = Outcome("HIT", NOW, 30, "30 incidents")
    first = alert(1, id="a")
    seen = {"acknowledged_by": "desk", "acknowledged_at": OPENED + timedelta(days=1, hours=6)}
    return _store(
        folder,
        first,
        alert(1, 1, id="a", state="acknowledged", **seen),
        alert(1, 2, id="a", state="resolved", remarks=(doubt,), outcome=hit, **seen),
        alert(2, id="b"),
        alert(
            2, 1, id="b", state="retracted", remarks=(Remark("c", NOW, "note", "retracted: no"),)
        ),
        alert(3, id="c"),
        alert(3, id="d", severity="watch"),
    )


def test_the_ledger_tells_how_long_warnings_stood_and_who_disputed_them(tmp_path: Path) -> None:
    folder = _record(tmp_path)
    found = answer("ledger", "--by", "month", data=folder)
    assert found["rows"][0]["answers"] == {
        "warnings": 3, "answered": 2, "waiting": 1, "ended": 0,
        "median_hours": 6, "longest_hours": 30.0,
    }  # fmt: skip
    assert [(each["alert"], each.get("verdict")) for each in found["contested"]] == [
        ("a", "HIT"), ("b", None),
    ]  # fmt: skip
    told = tocsin("ledger", "--by", "month", data=folder, COLUMNS="300").stdout
    for words in (
        "3 alerts of severity warning or critical: 2 answered, 1 waiting, 0 ended",
        "Median time to an answer: 6 h; the longest stood for 30 h; n 3",
        "desk: an old report",
        "c: retracted: no",
        "ended unanswered",
    ):
        assert words in told
