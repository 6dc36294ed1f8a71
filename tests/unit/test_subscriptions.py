"""What a subscription must be to be taken, and what its subscriber is to expect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from detectors.budget import Budget
from detectors.delivery_records import Digest, Escalation, Quiet, Subscription
from detectors.ledger import wilson
from detectors.records import Outcome, Part
from detectors.world.units import UNITS, inside
from streams.backtest.account import Level, Opened, Period
from streams.backtest.report import Backtest
from streams.commands.subscription_figures import read
from streams.expected import (
    Past,
    Told,
    budget_per_week,
    expect,
    past_of_backtest,
    past_of_store,
)
from streams.settings import Chat, Delivery, Settings, Smtp, Webhook
from streams.sinks import SINKS, wants
from streams.store import Store
from streams.subscribing import NAMED, TYPED, Invalid, check, is_zone
from streams.subscriptions import configured, merged
from tests.alert_records import OPENED, alert, score, subscription

DAY = timedelta(days=1)
HOOK = Webhook(name="desk", url="https://desk.example/a", secret=SecretStr("whsec_x"))
CFG = Settings(
    delivery=Delivery(
        webhooks=(HOOK,),
        chats=(Chat(name="duty", url=SecretStr("json://chat.example/")),),
        allowed_hosts=("inside.example",),
        smtp=Smtp(host="mail.example", sender="t@example.org", public_url="https://t.example"),
    )
)


def asked(**changes: Any) -> Subscription:
    """A subscription that can be taken, but for the changes."""
    return replace(Subscription("south", "webhook", "https://desk.example/hook"), **changes)


# What is taken


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sink": "webhook", "address": "http://inside.example:8080/x"},
        {"sink": "email", "address": "desk+tocsin@mail.example.org"},
        {"sink": "chat", "address": "duty"},
        {"sink": "atom", "address": "south-2"},
        {"units": ("AFG", "AF-NAN~PK-KP", "AFG~PAK"), "signals": ("S1",), "directions": ("fall",)},
        {"digest": Digest("week", "23:59", 6), "time_zone": "Asia/Kabul"},
        {"quiet": Quiet("22:00", "07:00"), "most_per_week": 1, "language": "en"},
        {"escalation": Escalation(0.5, "desk"), "owner": "o@example.org"},
    ],
    ids=str,
)
def test_what_fits_is_taken(changes: dict[str, Any]) -> None:
    check(asked(**changes), configured(CFG), CFG)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id": "South"}, "id", "a-z, 0-9 and hyphens"),
        ({"id": "a/b"}, "id", "no id"),
        ({"id": "a" * 64}, "id", "at most 63"),
        ({"sink": "webook"}, "sink", "no sink 'webook'"),
        ({"address": "http://desk.example/hook"}, "address", "https on port 443"),
        ({"address": "https://10.0.0.1/"}, "address", "not at a public address"),
        ({"address": "https://u:p@desk.example/"}, "address", "user name"),
        ({"sink": "email", "address": "a@b"}, "address", "one plain mailbox"),
        ({"sink": "email", "address": "a@b.example\r\nBcc: c@d.example"}, "address", "mailbox"),
        ({"sink": "chat", "address": "slack://token"}, "address", "no chat is called"),
        ({"sink": "alertmanager", "address": "x"}, "address", "[[delivery.alertmanagers]]"),
        ({"sink": "atom", "address": "../x"}, "address", "no name of a document"),
        ({"sink": "atom", "address": "alerts"}, "address", "'feed' writes to 'alerts' already"),
        ({"units": ("AF-XXX",)}, "units", "'AF-XXX' is unknown"),
        ({"signals": ("S99",)}, "signals", "'S99' is unknown"),
        ({"directions": ("up",)}, "subscription", "out of bounds"),
        ({"minimum_probability": 1.5}, "subscription", "out of bounds"),
        ({"digest": Digest("day", "24:00")}, "subscription", "out of bounds"),
        ({"time_zone": "Asia/Kandahar"}, "time_zone", "no time zone"),
        ({"most_per_week": 0}, "most_per_week", "pause it instead"),
        ({"quiet": Quiet("07:00", "07:00")}, "quiet", "none"),
        ({"owner": "nobody"}, "owner", "mailbox"),
        ({"escalation": Escalation(1.0, "nobody")}, "escalation", "no subscription 'nobody'"),
        ({"escalation": Escalation(1.0, "south")}, "escalation", "south to south"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(asked(**changes), configured(CFG), CFG)
    assert refused.value.field == field
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (Delivery(), "no mail server is set"),
        (Delivery(smtp=Smtp(host="m.example", sender="t@example.org")), "no link can be made"),
    ],
)
def test_mail_is_refused_where_none_could_be_confirmed(delivery: Delivery, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check(asked(sink="email", address="a@b.example"), {}, Settings(delivery=delivery))


def test_an_escalation_that_comes_back_in_the_end_is_refused() -> None:
    others = {
        "a": asked(id="a", escalation=Escalation(1.0, "b")),
        "b": asked(id="b", escalation=Escalation(1.0, "south")),
    }
    with pytest.raises(Invalid, match="south to a to b to south"):
        check(asked(escalation=Escalation(2.0, "a")), others, CFG)
    # An older end that leads nowhere is not this one's fault.
    check(asked(escalation=Escalation(2.0, "a")), {"a": others["a"]}, CFG)


def test_every_kind_of_address_is_of_a_sink_that_there_is() -> None:
    assert {*TYPED, *NAMED} <= set(SINKS)


@pytest.mark.parametrize("name", ["", "../etc/passwd", "/etc/localtime", "Asia/Kandahar", "a\0b"])
def test_what_is_no_time_zone_is_told_without_harm(name: str) -> None:
    assert not is_zone(name)


def test_the_key_must_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.settings import SettingsError, load

    monkeypatch.setenv("TOCSIN_DELIVERY_KEY", "k" * 31)
    with pytest.raises(SettingsError, match=r"delivery\.key"):
        load()
    monkeypatch.setenv("TOCSIN_DELIVERY_KEY", "k" * 32)
    key = load().delivery.key
    assert key is not None
    assert key.get_secret_value() == "k" * 32


# Those of the settings


def test_the_settings_say_what_and_the_topic_says_whether() -> None:
    own = configured(CFG)
    assert set(own) == {"feed", "desk"}
    dead = replace(own["desk"], state="failing", reason="HTTP 410", minimum_severity="critical")
    found = merged(own, dead)
    assert (found.state, found.reason) == ("failing", "HTTP 410")
    assert found.minimum_severity == own["desk"].minimum_severity
    # Once the address in the settings is another, what became of the one before is over.
    assert merged(own, replace(dead, address="https://old.example/")) == own["desk"]
    assert merged(own, replace(dead, state="removed", address="")) == own["desk"]
    assert merged(own, asked()) == asked()


# What is to be expected


def past_of_weeks(times: list[float], weeks: int, held: list[bool | None] | None = None) -> Past:
    """Alerts at these weeks after a Monday, over so many weeks."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    verdicts = held or [None] * len(times)
    told = tuple(
        Told(start + timedelta(weeks=at), each) for at, each in zip(times, verdicts, strict=True)
    )
    last = start.date() + timedelta(days=7 * weeks - 1)
    return Past("store", start.date(), last, told)


def test_the_rate_is_the_gamma_posterior_of_the_budget_and_the_weeks() -> None:
    one = subscription(units=("AF-KAN",))
    allowed = budget_per_week(one, Budget())
    assert allowed == pytest.approx(2 * 7 / 365.25)  # a rise and a fall a year
    found = expect(one, [past_of_weeks([0.5, 4.5, 8.5], 12)], Budget())
    assert found.clusters == 1.0
    assert found.per_week.mean == pytest.approx((allowed * 4 + 3) / (4 + 12))
    assert found.per_week.low < found.per_week.mean < found.per_week.high
    assert (found.alerts, found.weeks) == (3, 12.0)


def test_nothing_known_is_the_budget_and_says_so() -> None:
    found = expect(subscription(units=("AFG",), directions=("rise",)), [], Budget(watch=2.0))
    assert found.per_week.mean == pytest.approx(len(inside("AFG")) * 2.0 * 7 / 365.25)
    assert found.base == "budget"
    assert any("is not known" in each for each in found.remarks)


def test_the_budget_follows_what_is_asked_for() -> None:
    budget = Budget(1.0, 0.3, 0.1)
    every = budget_per_week(subscription(), budget)
    assert every == pytest.approx(len(UNITS) * 2 * 7 / 365.25)
    assert budget_per_week(subscription(minimum_severity="critical"), budget) == pytest.approx(
        every / 10
    )
    assert budget_per_week(subscription(directions=("fall",)), budget) == pytest.approx(every / 2)


def test_long_quiet_moves_the_expectation_below_the_budget() -> None:
    asked_for = subscription()
    quiet = expect(asked_for, [past_of_weeks([], 52)], Budget())
    assert quiet.per_week.high < budget_per_week(asked_for, Budget())
    # Of what is few, no more can be false than there is.
    assert quiet.false_per_week.high <= quiet.per_week.high


def test_alerts_in_clusters_make_the_interval_wider() -> None:
    even = expect(subscription(), [past_of_weeks([week + 0.5 for week in range(24)], 24)], Budget())
    lumps = expect(
        subscription(), [past_of_weeks([2.1 + 0.01 * n for n in range(24)], 24)], Budget()
    )
    assert even.clusters == 1.0 < lumps.clusters
    assert lumps.per_week.high - lumps.per_week.low > even.per_week.high - even.per_week.low
    assert lumps.in_one_week[1] > even.in_one_week[1]


def test_false_ones_are_told_from_settled_claims_once_there_are_enough() -> None:
    times = [float(n) for n in range(10)]
    few = expect(subscription(), [past_of_weeks(times, 10, [True] * 9 + [None])], Budget())
    assert (few.base, few.settled, few.false_share) == ("budget", 9, None)
    assert any("not settled yet, or that could not be: 1" in each for each in few.remarks)
    enough = expect(subscription(), [past_of_weeks(times, 10, [True] * 7 + [False] * 3)], Budget())
    assert (enough.base, enough.settled, enough.false) == ("settled claims", 10, 3)
    assert enough.false_share == wilson(3, 10)
    assert 0 < enough.false_per_week.low < enough.false_per_week.mean < enough.false_per_week.high
    assert enough.false_per_week.mean == pytest.approx(enough.per_week.mean * 3.5 / 11)
    assert (
        expect(subscription(), [past_of_weeks(times, 10, [True] * 10)], Budget()).false_per_week.low
        > 0
    )


def test_the_same_past_gives_the_same_figures() -> None:
    past = past_of_weeks([float(n) for n in range(12)], 14, [n % 2 == 0 for n in range(12)])
    assert expect(subscription(), [past], Budget()) == expect(subscription(), [past], Budget())


def test_a_weekly_budget_withholds_what_it_would_have() -> None:
    # Three within two days, one six days later (the first two still count), one long after.
    past = past_of_weeks([0.0, 0.1, 0.2, 0.95, 3.0], 5)
    found = expect(subscription(most_per_week=2), [past], Budget()).cut
    assert found is not None
    assert (found.known, found.withheld) == (5, 2)
    assert expect(subscription(), [past], Budget()).cut is None


@pytest.mark.parametrize("most", [1, 2, 5])
def test_what_is_withheld_a_week_is_what_lies_beyond_the_budget(most: int) -> None:
    from scipy.stats import nbinom

    past = past_of_weeks([2.1 + 0.01 * n for n in range(24)], 24)
    found = expect(subscription(most_per_week=most), [past], Budget())
    assert found.cut is not None
    # The same sum the other way round, with the size found from two of the figures shown.
    mean, more = found.per_week.mean, (found.clusters - 1) * found.per_week.mean
    allowed = found.budget_per_week * 4 + 24 / found.clusters
    size = mean**2 / (more + allowed / (4 + 24 / found.clusters) ** 2)
    share = size / (size + mean)
    beyond = sum((n - most) * nbinom.pmf(n, size, share) for n in range(most, 4_000))
    assert found.cut.per_week == pytest.approx(beyond, rel=1e-6)


# What is known


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def test_the_past_is_that_of_the_days_on_which_anything_was_judged(store: Store) -> None:
    assert past_of_store(store, subscription()) is None
    days = [score(OPENED + n * DAY, state="scored" if n > 2 else "learning") for n in range(30)]
    store.apply("s", [(0, n, each) for n, each in enumerate(days)])
    found = past_of_store(store, subscription())
    assert found is not None
    assert (found.first, found.last, found.told) == (date(2026, 3, 4), date(2026, 3, 30), ())
    assert found.weeks == pytest.approx(27 / 7)


def test_the_past_has_each_alert_once_from_when_it_was_asked_for(store: Store) -> None:
    store.apply("s", [(0, 0, score())])
    outcome = Outcome("FALSE", OPENED + 50 * DAY, 3, "3 incidents, at least 20")
    story = [
        alert(1, 0, severity="watch"),
        alert(1, 1, severity="critical", parts=(Part("S4", 2.0, 1, 0.1, ""),)),
        alert(1, 2, severity="watch", outcome=outcome),
    ]
    void = alert(2, severity="critical", outcome=Outcome("VOID", OPENED, None, "dark"))
    store.apply("a", [(0, n, each) for n, each in enumerate([*story, void, alert(3)])])
    grave = subscription(minimum_severity="critical")
    found = past_of_store(store, grave)
    assert found is not None
    assert found.told == (Told(story[1].at, False), Told(void.at, None))
    assert [wants(grave, each) for each in story] == [False, True, False]


def _backtest() -> Backtest:
    """Figures of a backtest with four alerts, in two units, of one month."""
    start = date(2026, 2, 1)
    period = Period(start, date(2026, 2, 28), start, 2, 56, 0, 0, 0.15, 0.1)
    opened = tuple(
        Opened(f"{signal}-rise-{unit}-x", unit, start + timedelta(days=day), p, 5, 4, held)
        for unit, day, p, held, signal in [
            ("AF-KAN", 2, 0.3, True, "S1"),
            ("AF-KAN", 20, 0.6, False, "S4"),
            ("AF-HEL", 5, 0.4, True, "S1"),
            ("AF-HEL", 25, 0.4, None, "S1"),
        ]
    )
    level = Level("admin1", period, (), (), opened, 3)
    return Backtest("x", 1, {}, period.start, period.end, (level,))


@pytest.mark.parametrize(
    ("changes", "count", "whole"),
    [
        ({"units": ("AF-KAN", "AF-HEL"), "directions": ("rise",)}, 4, True),
        ({"units": ("AF-KAN",), "directions": ("rise",)}, 2, True),
        ({"units": ("AF-KAN",), "directions": ("rise",), "minimum_probability": 0.5}, 1, True),
        ({"units": ("AF-KAN",)}, 2, False),
        ({"units": ("AFG",), "directions": ("rise",)}, 4, False),  # with its borders, unjudged
        ({"units": ("AF-KAN",), "directions": ("fall",)}, 0, False),
        ({"directions": ("rise",), "signals": ("S4",)}, 1, False),
        ({"units": ("AF-KAN",), "directions": ("rise",), "minimum_severity": "warning"}, 2, False),
    ],
    ids=str,
)
def test_a_backtest_tells_how_many_only_of_what_it_judged(
    changes: dict[str, Any], count: int, whole: bool
) -> None:
    found = past_of_backtest(_backtest(), subscription(**changes))
    assert (len(found.told), found.tells_how_many) == (count, whole)
    assert found.weeks == 4.0


def test_a_backtest_that_does_not_tell_how_many_still_tells_what_came_true() -> None:
    asked_for = subscription(units=("AF-KAN",))
    found = expect(asked_for, [past_of_backtest(_backtest(), asked_for)], Budget())
    assert (found.weeks, found.alerts, found.settled, found.false) == (0, 0, 2, 1)
    assert any("the backtest tells only" in each for each in found.remarks)


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_bytes(msgspec.json.encode(_backtest()))
    assert read(path) == _backtest()


def test_days_that_the_store_knows_too_count_once() -> None:
    asked_for = subscription(units=("AF-KAN", "AF-HEL"), directions=("rise",))
    beside = Past("store", date(2026, 2, 15), date(2026, 6, 1), ())
    found = past_of_backtest(_backtest(), asked_for, beside)
    assert (found.first, found.last) == (date(2026, 2, 1), date(2026, 2, 14))
    assert [told.at.day for told in found.told] == [3, 6]
    within = Past("store", date(2026, 1, 1), date(2026, 6, 1), ())
    assert not past_of_backtest(_backtest(), asked_for, within).tells_how_many
    assert past_of_backtest(_backtest(), asked_for, within).told == ()
