"""`tocsin subscriptions` as far as it needs no broker: what is typed, listed, and audited."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from detectors.budget import Budget
from detectors.delivery_records import Digest, Escalation, Quiet, Subscription, SubscriptionState
from detectors.world.units import UNITS
from streams.commands.base import Problem
from streams.commands.subscription_figures import read
from streams.commands.subscription_options import (
    Filters,
    Timing,
    since,
    unit_named,
    with_filters,
    with_timing,
)
from streams.commands.subscription_words import asks, expectation, masked, times
from streams.expected import Past, Told, expect
from streams.sinks import SINKS
from streams.store import Store
from streams.wording import headline
from tests.alert_records import alert, delivery, subscription
from tests.filled_store import answer, tocsin

ROOT = Path(__file__).parents[2]
BASE = Subscription("south", "atom", "south")
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


# What is typed


@pytest.mark.parametrize(
    ("given", "option", "kinds", "code"),
    [
        ("kandahar", "--unit", ("admin1",), "AF-KAN"),
        ("AF-KAN", "--unit", ("admin1",), "AF-KAN"),
        ("Afghanistan", "--country", ("country",), "AFG"),
        ("pak", "--country", ("country",), "PAK"),
        ("af-nan~pk-kp", "--border", ("border",), "AF-NAN~PK-KP"),
        ("Nangarhar-Khyber Pakhtunkhwa border", "--border", ("border",), "AF-NAN~PK-KP"),
        ("AFG~PAK", "--unit", ("dyad",), "AFG~PAK"),
        ("ttp", "--actor", ("actor",), "ttp"),
    ],
)
def test_a_unit_is_found_by_code_or_name(given: str, option: str, kinds: Any, code: str) -> None:
    assert unit_named(given, option, kinds) == code


@pytest.mark.parametrize(
    ("given", "option", "kinds", "words"),
    [
        ("Kandahr", "--unit", ("admin1",), "did you mean Kandahar"),
        ("India", "--country", ("country",), "no watched unit is called 'India'"),
        ("Kandahar", "--country", ("country",), "is a unit of the kind admin1: use --unit"),
        ("Zzzzzz", "--border", ("border",), "tocsin world units --kind border lists them"),
    ],
)
def test_a_unit_that_is_none_is_told(given: str, option: str, kinds: Any, words: str) -> None:
    with pytest.raises(Problem) as told:
        unit_named(given, option, kinds)
    assert words in str(told.value)


def test_every_unit_can_be_asked_for_by_its_name() -> None:
    for unit in UNITS.values():
        found = UNITS[unit_named(unit.name, "--x", (unit.kind,))]
        assert found.name == unit.name


def test_filters_become_codes_once_and_in_order() -> None:
    found = with_filters(
        BASE,
        Filters(
            countries=["PAK"],
            units=["Kandahar", "AF-KAN"],
            signals=["s14", "S1", "S14"],
            directions=["FALL"],
            minimum_severity="Critical",
            unplaced=True,
        ),
    )
    assert found == replace(
        BASE,
        units=("AF-KAN", "PAK"),
        signals=("S14", "S1"),
        directions=("fall",),
        minimum_severity="critical",
        unplaced=True,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Timing(), BASE),
        (Timing(digest="daily"), replace(BASE, digest=Digest("day", "07:00", 0))),
        (
            Timing(digest="Weekly", at="6:05", weekday="Friday"),
            replace(BASE, digest=Digest("week", "06:05", 4)),
        ),
        (Timing(quiet="22:00-7:00"), replace(BASE, quiet=Quiet("22:00", "07:00", "critical"))),
        (
            Timing(quiet="22:00–07:00", quiet_override="warning"),
            replace(BASE, quiet=Quiet("22:00", "07:00", "warning")),
        ),
        (
            Timing(escalate_after=1.5, escalate_to="night"),
            replace(BASE, escalation=Escalation(1.5, "night")),
        ),
        (Timing(time_zone="Asia/Kabul"), replace(BASE, time_zone="Asia/Kabul")),
    ],
    ids=str,
)
def test_times_are_read(given: Timing, expected: Subscription) -> None:
    assert with_timing(BASE, given) == expected


@pytest.mark.parametrize(
    "given",
    [
        Timing(at="07:00"),
        Timing(weekday="monday"),
        Timing(digest="daily", weekday="monday"),
        Timing(digest="hourly"),
        Timing(digest="weekly", weekday="tomorrow"),
        Timing(digest="daily", at="7"),
        Timing(quiet="22:00"),
        Timing(quiet="22:00-24:00"),
        Timing(quiet_override="critical"),
        Timing(quiet="22:00-07:00", quiet_override="grave"),
        Timing(escalate_after=1.0),
        Timing(escalate_to="night"),
        Timing(escalate_after=0.0, escalate_to="night"),
    ],
    ids=str,
)
def test_times_that_do_not_go_together_are_refused(given: Timing) -> None:
    with pytest.raises(Problem):
        with_timing(BASE, given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T06:00+04:30", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
    ],
)
def test_since_is_an_instant(given: str | None, expected: datetime | None) -> None:
    assert since(given, NOW) == expected


@pytest.mark.parametrize("given", ["yesterday", "99999d" * 2, "", "2026-13-01"])
def test_since_that_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(Problem, match="is no time"):
        since(given, NOW)


# In words


def test_what_is_asked_for_is_said() -> None:
    full = replace(
        BASE,
        units=("AF-KAN", "AF-HEL", "AF-KAB", "AF-HER", "AF-NAN", "PAK"),
        signals=("S1",),
        directions=("fall",),
        minimum_severity="critical",
        minimum_probability=0.3,
        unplaced=True,
        most_per_week=2,
    )
    said = asks(full)
    assert said.startswith("critical, Kandahar or Helmand or Kabul or Herat or 2 more, S1, fall")
    assert "claims of 30% or more, also without a place" in said
    assert times(full) == "at once, at most 2 a week"


def test_the_path_of_a_webhook_is_not_shown() -> None:
    assert masked(subscription(address="https://hooks.example/T0/B1?k=v")) == (
        "https://hooks.example/***?***"
    )
    assert masked(subscription("email", "desk@example.org")) == "desk@example.org"


def test_what_to_expect_says_on_what_it_rests() -> None:
    few = "\n".join(expectation(expect(subscription(), [], Budget())))
    assert "from the alert budget" in few
    assert "0 claims in scope are settled, too few to tell" in few
    assert "Withheld" not in few
    told = tuple(Told(NOW + timedelta(weeks=n), n % 3 > 0) for n in range(12))
    past = Past("store", NOW.date(), NOW.date() + timedelta(days=83), told)
    enough = "\n".join(expectation(expect(subscription(most_per_week=1), [past], Budget())))
    assert "from 12 in the 12.0 weeks that are known" in enough
    assert "4 of 12 did not come true (14% to 61%, 95%)" in enough
    assert "of the 12 that are known 0 would have been" in enough


# From the store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with three subscriptions, of which one has told of two alerts and then failed."""
    desk = subscription(address="https://desk.example/secret-part")
    night = subscription("chat", "duty", id="night", state="paused")
    told = [
        delivery(alert(1), status="delivered", reason=""),
        delivery(alert(2), status="delivered", reason=""),
        delivery(alert(3), 1),
        delivery(alert(3), 2, status="given_up", reason="tried for half a day"),
        delivery(alert(3), subscription="night", id="n", status="over_budget", reason="3 a week"),
    ]
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.apply("a", [(0, n, alert(n)) for n in range(1, 4)])
        gone = subscription(id="gone", state="removed", address="")
        store.apply("s", [(0, n, each) for n, each in enumerate([desk, night, gone])])
        store.apply("d", [(0, n, each) for n, each in enumerate(told)])
    return tmp_path


def test_without_a_broker_subscriptions_are_those_of_the_store_and_the_settings(data: Path) -> None:
    found = tocsin("subscriptions", "list", data=data)
    assert found.exit_code == 0
    assert "no Kafka broker is set" in found.stderr
    assert "secret-part" not in found.stdout
    rows = {line.split()[0]: line for line in found.stdout.splitlines()[2:] if line.strip()}
    assert set(rows) == {"desk", "feed", "night"}
    assert "2026-03-04 06:01 UTC, 2 attempts" in rows["desk"]
    assert "2026-03-03 06:01 UTC" in rows["desk"]
    assert "paused" in rows["night"]
    assert "never" in rows["night"]


def test_health_is_in_the_document_too(data: Path) -> None:
    found = {
        each["subscription"]["id"]: each for each in answer("subscriptions", "list", data=data)
    }
    assert found["desk"]["failures"] == 2
    assert found["desk"]["failing_since"] == "2026-03-04T06:01:00Z"
    assert found["desk"]["last_delivered"] == "2026-03-03T06:01:00Z"
    assert found["feed"]["origin"] == "settings"
    assert found["night"]["failing_since"] is None


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 5),
        (("--subscription", "night"), 1),
        (("--alert", alert(3).id), 3),
        (("--alert", alert(3).id, "--subscription", "desk"), 2),
        (("--since", "2026-03-04T06:02Z"), 1),
        (("--since", "2026-03-03"), 4),
    ],
    ids=str,
)
def test_the_audit_tells_who_was_told_what(
    options: tuple[str, ...], count: int, data: Path
) -> None:
    found = answer("subscriptions", "audit", *options, data=data)
    assert len(found) == count
    heads = {alert(n).id: headline(alert(n)) for n in range(1, 4)}
    assert all(each["headline"] == heads[each["delivery"]["alert"]] for each in found)


def test_the_audit_in_words_sums_up(data: Path) -> None:
    found = tocsin("subscriptions", "audit", data=data)
    assert found.exit_code == 0
    assert "tried for half a day" in found.stdout
    assert "given up (attempt 2)" in found.stdout
    assert "2 delivered, 1 given up, 1 over budget, 1 retry" in found.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--subscription", "nobody"), "nothing was sent"),
        (("--since", "2099-01-01"), "nothing was sent"),
        (("--alert", "no-such-alert"), "there is no alert"),
    ],
)
def test_an_audit_that_finds_nothing_says_so(
    options: tuple[str, ...], words: str, data: Path
) -> None:
    found = tocsin("subscriptions", "audit", *options, data=data)
    assert found.exit_code == 1
    assert words in found.stderr


def test_one_is_shown_in_full(data: Path) -> None:
    found = tocsin("subscriptions", "show", "desk", data=data).stdout
    assert "https://desk.example/secret-part" in found
    missing = tocsin("subscriptions", "show", "nihgt", data=data)
    assert missing.exit_code == 1
    assert "did you mean night?" in missing.stderr


@pytest.mark.parametrize("command", ["add", "test", "pause", "resume", "rotate", "remove"])
def test_what_needs_a_broker_says_how_to_get_one(command: str, data: Path) -> None:
    more = {"add": ["atom", "x", "--yes"], "remove": ["--yes"]}.get(command, [])
    found = tocsin("subscriptions", command, "x", *more, data=data, TOCSIN_DELIVERY_KEY="k" * 32)
    assert found.exit_code == 2
    assert "TOCSIN_KAFKA_BOOTSTRAP" in found.stderr


def test_a_file_that_no_backtest_wrote_is_told(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"levels": "none"}))
    with pytest.raises(Problem, match="is not what tocsin backtest --json wrote"):
        read(path)
    with pytest.raises(Problem, match="No such file"):
        read(tmp_path / "nowhere.json")


def _examples() -> list[list[str]]:
    """Every `tocsin subscriptions ...` of the guide, as a shell would read it."""
    text = (ROOT / "docs" / "subscribe.md").read_text(encoding="utf-8")
    found = re.findall(r"^tocsin (subscriptions [^\n]*)", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in found]


@pytest.mark.parametrize("words", _examples(), ids=" ".join)
def test_every_command_of_the_guide_is_one(words: list[str], data: Path) -> None:
    yes = ["--yes"] if words[1] in ("add", "remove") and "--yes" not in words else []
    found = tocsin(*words, *yes, data=data, TOCSIN_DELIVERY_KEY="k" * 32)
    if words[1] in ("list", "show", "audit"):
        assert found.exit_code in (0, 1), found.stderr
    else:  # as typed it is right: all that is missing here is a broker
        assert found.exit_code == 2
        assert "TOCSIN_KAFKA_BOOTSTRAP" in found.stderr


def test_the_guide_names_every_sink_and_state() -> None:
    text = (ROOT / "docs" / "subscribe.md").read_text(encoding="utf-8")
    for each in (*SINKS, *(s for s in get_args(SubscriptionState) if s != "removed")):
        assert f"`{each}`" in text


@pytest.mark.parametrize(
    "command",
    ["add", "list", "show", "test", "confirm", "pause", "resume", "rotate", "remove", "audit"],
)
def test_every_command_teaches_by_example(command: str) -> None:
    found = tocsin("subscriptions", command, "--help")
    assert found.exit_code == 0
    assert f"tocsin subscriptions {command}" in found.stdout
    assert "--json" in found.stdout
