"""The directory of subscriptions on real brokers, and the commands that change it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiokafka import TopicPartition
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from typer.testing import Result

from deploy.kafka.node import KafkaNode
from detectors.delivery_records import Digest, Escalation, Quiet, Subscription
from streams import kafka, topics
from streams.broker import EmbeddedBroker
from streams.codecs import encode
from streams.metrics import build_metrics
from streams.secrets import challenge_text, signing_secrets
from streams.settings import Delivery, Kafka, Settings, Webhook
from streams.store import Store
from streams.subscriptions import Directory, write
from tests.alert_records import OPENED, alert, score, subscription
from tests.filled_store import tocsin

PARTITIONS = 3
DEADLINE = 60.0
KEY = "k" * 40
AT = datetime(2026, 3, 1, tzinfo=UTC)
HOOK = Webhook(name="own", url="https://own.example/a", secret=SecretStr("whsec_x"))


def settings_of(bootstrap: str, prefix: str, *, embedded: bool) -> Settings:
    made = Kafka(bootstrap=bootstrap, prefix=prefix, partitions=PARTITIONS, idempotent=not embedded)
    with closing(kafka.admin(made)) as admin:
        topics.create(admin, prefix, PARTITIONS)
    return Settings(kafka=made, delivery=Delivery(webhooks=(HOOK,), key=SecretStr(KEY)))


@pytest.fixture
def settings(request: pytest.FixtureRequest, bootstrap: str, prefix: str) -> Settings:
    """The settings of an installation on each of the brokers, with a webhook of their own."""
    return settings_of(bootstrap, prefix, embedded="embedded" in request.node.callspec.id)


@asynccontextmanager
async def running(settings: Settings, **options: Any) -> AsyncIterator[Directory]:
    directory = Directory(settings, **options)
    task = asyncio.create_task(directory.run())
    try:
        yield directory
    finally:
        directory.stop()
        await asyncio.wait_for(task, DEADLINE)


async def put(settings: Settings, *subscriptions: Subscription) -> None:
    async with kafka.producer(settings.kafka) as producer:
        for each in subscriptions:
            await write(producer, kafka.layout(settings.kafka), each)


async def put_raw(settings: Settings, key: bytes, value: bytes | None) -> None:
    name = kafka.layout(settings.kafka).name(topics.SUBSCRIPTIONS)
    async with kafka.producer(settings.kafka) as producer:
        await producer.send_and_wait(name, value, key, partition=0)


async def level(directory: Directory) -> None:
    await asyncio.wait_for(directory.catch_up(), DEADLINE)


def ids(directory: Directory) -> list[str]:
    return [each.id for each in directory.all()]


# The directory


async def test_without_a_record_there_are_those_of_the_settings(settings: Settings) -> None:
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        assert ids(directory) == ["feed", "own"]
        assert directory.is_of_settings("own")
        assert directory.get("nobody") is None


async def test_the_last_record_of_each_is_what_holds(settings: Settings) -> None:
    first, second = subscription(id="a"), subscription(id="b", state="pending")
    await put(settings, first, second, replace(first, state="paused"))
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        assert ids(directory) == ["a", "b", "feed", "own"]
        assert directory.get("a") == replace(first, state="paused")
        assert [each.id for each in directory.active()] == ["feed", "own"]
        await put(settings, first, replace(second, state="active"))
        await level(directory)
        assert [each.id for each in directory.active()] == ["a", "b", "feed", "own"]


async def test_each_change_is_told_once_and_what_is_no_change_is_not(settings: Settings) -> None:
    told: list[tuple[str, str | None]] = []
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        directory.listen(lambda id, now: told.append((id, now.state if now else None)))
        changed = asyncio.create_task(directory.changed())
        await asyncio.sleep(0)  # it waits from here on
        await put(settings, subscription(id="a"))
        await asyncio.wait_for(changed, DEADLINE)
        await put(settings, subscription(id="a"))
        await level(directory)
        await put(settings, subscription(id="a", state="removed"))
        await level(directory)
    assert told == [("a", "active"), ("a", None)]


async def test_what_is_removed_is_gone_but_its_id_is_not_given_again(settings: Settings) -> None:
    gone = subscription(id="a", address="secret@desk.example", owner="o@desk.example")
    await put(settings, gone, replace(gone, state="removed"))
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        assert directory.get("a") is None
        assert directory.is_taken("a")
        assert not directory.is_taken("b")
    consumer = kafka.reader(settings.kafka)
    name = kafka.layout(settings.kafka).name(topics.SUBSCRIPTIONS)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(name, 0)])
        await consumer.seek_to_beginning(TopicPartition(name, 0))
        async with asyncio.timeout(DEADLINE):
            values = [(await consumer.getone()).value for _ in range(2)]
    finally:
        await consumer.stop()
    assert b"desk.example" in values[0]
    assert b"desk.example" not in values[1]  # compaction forgets the first


async def test_the_topic_says_what_became_of_one_of_the_settings(settings: Settings) -> None:
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        own = directory.get("own")
        assert own is not None
        await put(settings, replace(own, state="failing", reason="HTTP 410", units=("PAK",)))
        await level(directory)
        assert directory.get("own") == replace(own, state="failing", reason="HTTP 410")
        await put(settings, replace(own, state="removed"))
        await level(directory)
        assert directory.get("own") == own


BAD: list[tuple[bytes, bytes, str]] = [
    (b"a", b"{", "broken_json"),
    (b"a", b"\xff", "invalid_utf8"),
    (b"\xff", encode(subscription(id="a")), "invalid_utf8"),
    (b"a", encode(alert()), "unknown_schema"),
    (b"a", encode(subscription(id="b")), "wrong_type"),
    (b"a", encode(subscription("pigeon", id="a")), "wrong_type"),
    (b"a", encode(subscription(id="a", time_zone="Asia/Kandahar")), "wrong_type"),
    (b"a", encode(subscription(id="a")).replace(b'"a"', b"1"), "wrong_type"),
]


async def test_what_cannot_be_used_changes_nothing_and_is_counted(settings: Settings) -> None:
    registry = CollectorRegistry()
    await put(settings, subscription(id="a", state="paused"))
    for key, value, _ in BAD:
        await put_raw(settings, key, value)
    await put(settings, subscription(id="after"))
    async with running(settings, metrics=build_metrics(registry)) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        assert ids(directory) == ["a", "after", "feed", "own"]
        assert directory.get("a") == subscription(id="a", state="paused")
    for reason in {each[2] for each in BAD}:
        counted = registry.get_sample_value("tocsin_dead_letters_total", {"reason": reason})
        assert counted == sum(each[2] == reason for each in BAD)


async def test_a_key_that_was_deleted_is_a_subscription_that_is_gone(settings: Settings) -> None:
    await put(settings, subscription(id="a"))
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        await put_raw(settings, b"a", None)
        await level(directory)
        assert ids(directory) == ["feed", "own"]


async def test_a_broker_that_restarts_takes_nobody_away(
    apache_kafka_fresh: Callable[[], KafkaNode], prefix: str
) -> None:
    node = apache_kafka_fresh()
    settings = settings_of(node.bootstrap, prefix, embedded=False)
    await put(settings, subscription(id="a"))
    lost: list[str] = []
    async with running(settings) as directory:
        await asyncio.wait_for(directory.ready(), DEADLINE)
        directory.listen(lambda id, now: lost.append(id) if now is None else None)
        node.kill()
        late = Directory(settings)  # one that starts while there is no broker
        late_task = asyncio.create_task(late.run())
        assert ids(directory) == ["a", "feed", "own"]
        await asyncio.to_thread(node.restart)
        await put(settings, subscription(id="b"))
        await level(directory)
        await asyncio.wait_for(late.ready(), DEADLINE)
        await level(late)
        assert ids(directory) == ids(late) == ["a", "b", "feed", "own"]
        assert lost == []
        late.stop()
        await asyncio.wait_for(late_task, DEADLINE)


# The commands


class Installation:
    """A broker, a store and a key: what the commands are told to look at."""

    def __init__(self, broker: EmbeddedBroker, prefix: str, data: Path) -> None:
        self.settings = settings_of(broker.bootstrap, prefix, embedded=True)
        self.environment = {
            "TOCSIN_KAFKA_BOOTSTRAP": broker.bootstrap,
            "TOCSIN_KAFKA_PREFIX": prefix,
            "TOCSIN_KAFKA_PARTITIONS": str(PARTITIONS),
            "TOCSIN_KAFKA_IDEMPOTENT": "false",
            "TOCSIN_WORKER_DATA_DIR": str(data),
            "TOCSIN_DELIVERY_KEY": KEY,
        }

    def run(self, *arguments: str, **environment: str) -> Result:
        return tocsin("subscriptions", *arguments, **self.environment | environment)

    def answer(self, *arguments: str, **environment: str) -> Any:
        found = self.run(*arguments, "--json", **environment)
        assert found.exit_code == 0, found.stderr
        return json.loads(found.stdout)

    def known(self) -> dict[str, Any]:
        return {each["subscription"]["id"]: each for each in self.answer("list")}


@pytest.fixture
def here(embedded_broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Installation:
    """An installation whose store has judged a unit for half a year, and knows of three alerts."""
    days = [score(OPENED + timedelta(days=n)) for n in range(182)]
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.apply("scores", [(0, n, each) for n, each in enumerate(days)])
        store.apply("alerts", [(0, n, alert(n)) for n in range(3)])
    return Installation(embedded_broker, prefix, tmp_path)


HOOK_URL = "https://desk.example/t/secret-part"


def state(told: Any) -> str:
    """Records leave out what is as it usually is."""
    return str(told.get("state", "active"))


def test_a_subscription_from_its_first_day_to_its_last(here: Installation) -> None:
    added = here.answer(
        *("add", "south", "webhook", HOOK_URL, "--unit", "Kandahar", "--border", "AF-KAN~PK-BA"),
        *("--signal", "s1", "--direction", "rise", "--minimum-severity", "Warning"),
        *("--minimum-probability", "0.25", "--digest", "weekly", "--at", "7:30"),
        *("--weekday", "saturday", "--time-zone", "Asia/Kabul", "--language", "en"),
        *("--quiet", "22:00-07:00", "--quiet-override", "warning", "--most-per-week", "3"),
        *("--escalate-after", "2.5", "--escalate-to", "feed", "--owner", "o@desk.example"),
        "--yes",
    )
    saved = added["subscription"]
    assert saved | {"at": None} == json.loads(
        encode(
            Subscription(
                id="south",
                sink="webhook",
                address=HOOK_URL,
                minimum_severity="warning",
                units=("AF-KAN", "AF-KAN~PK-BA"),
                signals=("S1",),
                minimum_probability=0.25,
                directions=("rise",),
                digest=Digest("week", "07:30", 5),
                quiet=Quiet("22:00", "07:00", "warning"),
                time_zone="Asia/Kabul",
                most_per_week=3,
                escalation=Escalation(2.5, "feed"),
                owner="o@desk.example",
                state="pending",
                reason="its address has not yet proved that it wants alerts",
            )
        )
    ) | {"at": None}
    assert added["secret"] == signing_secrets(KEY, subscription(id="south"), AT)
    assert added["expected"]["weeks"] == 26
    # The secret is shown this once, and the part of a webhook's address that may be one is not.
    shown = here.run("list").stdout
    assert "whsec_" not in shown + here.run("show", "south").stdout
    assert "secret-part" not in shown
    text = challenge_text(KEY, "south", 1)
    assert here.run("confirm", "south", "nonsense").exit_code == 1
    confirmed = here.answer("confirm", "south", f"https://t.example/confirm/south/{text}")
    assert (state(confirmed), confirmed["reason"]) == ("active", "confirmed")
    assert here.answer("pause", "south", "--reason", "closed")["reason"] == "closed"
    assert here.run("pause", "south").exit_code == 1
    assert state(here.answer("resume", "south")) == "active"
    rotated = here.answer("rotate", "south")
    assert rotated["secret"] == signing_secrets(KEY, subscription(id="south", secret=2), AT)
    assert rotated["secret"] != added["secret"]
    assert here.known()["south"]["subscription"]["secret"] == 2
    gone = here.answer("remove", "south", "--yes")
    assert gone["state"] == "removed"
    assert "south" not in here.known()
    again = here.run("add", "south", "atom", "south", "--yes")
    assert (again.exit_code, "there was one 'south' already" in again.stderr) == (2, True)


def test_nothing_is_saved_before_what_to_expect_is_shown_and_agreed_to(here: Installation) -> None:
    refused = here.run("add", "all", "atom", "all")  # nobody says yes
    assert refused.exit_code == 1
    for words in ("every alert", "Alerts: ", "a week; in 9 weeks of 10", "Of these false: "):
        assert words in refused.stdout
    assert "all" not in here.known()
    assert here.run("add", "all", "atom", "all", "--yes").exit_code == 0
    assert here.known()["all"]["subscription"]["sink"] == "atom"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "webook", "https://a.example/"), "did you mean webhook?"),
        (("x", "atom", "x", "--unit", "Kandahr"), "did you mean Kandahar"),
        (("x", "atom", "x", "--border", "Kandahar"), "is a unit of the kind admin1: use --unit"),
        (("x", "atom", "x", "--signal", "S99"), "--signal: 'S99' is unknown"),
        (("x", "atom", "x", "--direction", "rises"), "did you mean rise?"),
        (("x", "atom", "x", "--time-zone", "Asia/Kabol"), "did you mean Asia/Kabul"),
        (("x", "atom", "x", "--language", "dari"), "there are en"),
        (("x", "atom", "x", "--digest", "dayly"), "did you mean daily?"),
        (("x", "atom", "x", "--at", "07:00"), "add --digest"),
        (("x", "atom", "x", "--digest", "daily", "--weekday", "monday"), "--digest weekly"),
        (("x", "atom", "x", "--quiet", "22:00"), "write two times"),
        (("x", "atom", "x", "--quiet", "22:00-25:00"), "no time of day"),
        (("x", "atom", "x", "--escalate-after", "1"), "go together"),
        (("x", "atom", "x", "--escalate-after", "1", "--escalate-to", "fed"), "did you mean feed?"),
        (("feed", "atom", "x"), "there is a subscription 'feed' already"),
        (("x", "atom", "alerts"), "'feed' writes to 'alerts' already"),
        (("x", "email", "a@b.example"), "no mail server is set"),
        (("x", "chat", "duty"), "no chat is set up"),
        (("x", "webhook", "https://192.168.0.1/"), "not at a public address"),
        (("x", "atom", "x", "--backtest", "/nowhere.json"), "No such file"),
    ],
    ids=lambda given: " ".join(given[1:]) if isinstance(given, tuple) else "",
)
def test_what_is_wrong_is_told_with_what_may_be_meant(
    arguments: tuple[str, ...], words: str, here: Installation
) -> None:
    found = here.run("add", *arguments, "--yes")
    assert found.exit_code == 2
    assert words in found.stderr
    assert set(here.known()) == {"feed"}


def test_without_a_key_no_webhook_is_taken(here: Installation) -> None:
    del here.environment["TOCSIN_DELIVERY_KEY"]
    found = here.run("add", "x", "webhook", HOOK_URL, "--yes")
    assert found.exit_code == 2
    assert "openssl rand" in found.stderr


def test_those_of_the_settings_are_paused_but_not_removed(here: Installation) -> None:
    assert here.answer("pause", "feed")["state"] == "paused"
    assert here.known()["feed"]["origin"] == "settings"
    assert here.known()["feed"]["subscription"]["state"] == "paused"
    for command in (("remove", "feed", "--yes"), ("rotate", "feed")):
        refused = here.run(*command)
        assert (refused.exit_code, "in the settings" in refused.stderr) == (2, True)
    missing = here.run("show", "fed")
    assert (missing.exit_code, "did you mean feed?" in missing.stderr) == (1, True)


def test_who_loses_an_escalation_is_told(here: Installation) -> None:
    assert here.run("add", "night", "atom", "night", "--yes").exit_code == 0
    escalates = ("--escalate-after", "6", "--escalate-to", "night")
    assert here.run("add", "day", "atom", "day", *escalates, "--yes").exit_code == 0
    found = here.run("remove", "night", "--yes")
    assert found.exit_code == 0
    assert "day escalates to night: from now on that reaches nobody" in found.stderr


def test_a_webhook_that_answers_the_question_is_active(here: Installation) -> None:
    async def go() -> tuple[Any, Any, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []

        async def receive(request: web.Request) -> web.Response:
            asked.append(json.loads(await request.text()))
            return web.Response(text=json.dumps(asked[-1]["data"]))

        app = web.Application()
        app.router.add_post("/hook", receive)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            url = f"http://127.0.0.1:{port}/hook"
            allowed = {"TOCSIN_DELIVERY_ALLOWED_HOSTS": '["127.0.0.1"]'}
            await asyncio.to_thread(here.answer, "add", "near", "webhook", url, "--yes", **allowed)
            first = await asyncio.to_thread(here.answer, "test", "near", **allowed)
            second = await asyncio.to_thread(here.answer, "test", "near", **allowed)
        finally:
            await runner.cleanup()
        return first, second, asked

    first, second, asked = asyncio.run(go())
    assert (first["kind"], first["result"], first["state"]) == ("challenge", "delivered", "active")
    assert (second["kind"], second["result"], second["state"]) == ("test", "delivered", "active")
    assert len(asked) == 2
    assert state(here.known()["near"]["subscription"]) == "active"


def test_a_test_that_does_not_arrive_says_why_and_fails(here: Installation) -> None:
    allowed = {"TOCSIN_DELIVERY_ALLOWED_HOSTS": '["127.0.0.1"]'}
    url = "http://127.0.0.1:1/hook"
    assert here.run("add", "away", "webhook", url, "--yes", **allowed).exit_code == 0
    found = here.run("test", "away", **allowed)
    assert found.exit_code == 1
    assert "would be tried again (no connection" in found.stdout
    assert here.known()["away"]["subscription"]["state"] == "pending"


def test_a_broker_without_the_topic_is_told(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    found = tocsin(
        *("subscriptions", "list"),
        data=tmp_path,
        TOCSIN_KAFKA_BOOTSTRAP=embedded_broker.bootstrap,
        TOCSIN_KAFKA_PREFIX="no-such-prefix",
    )
    assert found.exit_code == 1
    assert "tocsin topics create" in found.stderr
