"""The commands that speak to Kafka, on the embedded broker, with a worker where it takes one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from kafka.admin import KafkaAdminClient
from typer.testing import Result

from detectors.evidence import NAME
from detectors.monitor import Monitor
from detectors.records import Alert, Command, Report
from detectors.timegrid import Grid
from streams import kafka, replay, topics
from streams.agents.stage import Output, send
from streams.broker import EmbeddedBroker
from streams.codecs import decoder, encode
from streams.partitioning import partition_of
from streams.process import Process
from streams.settings import Settings
from streams.settings import Worker as WorkerSettings
from tests.filled_store import filled, scenario, tocsin  # noqa: F401 - a fixture
from tests.kafka import line

PARTITIONS = 3
DEADLINE = 90.0


class Installation:
    """A broker, a topic prefix and a data directory: what the commands are told to look at."""

    def __init__(self, bootstrap: str, prefix: str, data: Path) -> None:
        self.bootstrap, self.prefix, self.data = bootstrap, prefix, data
        self.layout = topics.Layout(prefix, PARTITIONS)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "TOCSIN_KAFKA_BOOTSTRAP": self.bootstrap,
            "TOCSIN_KAFKA_PREFIX": self.prefix,
            "TOCSIN_KAFKA_PARTITIONS": str(PARTITIONS),
            "TOCSIN_KAFKA_IDEMPOTENT": "false",
            "TOCSIN_WORKER_DATA_DIR": str(self.data),
        }

    def tocsin(self, *arguments: str) -> Result:
        return tocsin(*arguments, **self.environment)

    async def run(self, *arguments: str) -> None:
        """Run `tocsin` in a process of its own, beside a worker in this one."""
        program = ("-c", "from streams.cli import main; main()", *arguments)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            env=os.environ | self.environment,
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()

    def answer(self, *arguments: str) -> Any:
        found = self.tocsin(*arguments, "--json")
        assert found.exit_code == 0, found.stderr
        return json.loads(found.stdout)

    def settings(self) -> Settings:
        settings = line.settings(self.bootstrap, self.prefix, PARTITIONS, embedded=True)
        worker = WorkerSettings(data_dir=self.data, metrics_port=0, checkpoint_seconds=0.3)
        return settings.model_copy(update={"worker": worker})

    def send(self, *outputs: Output) -> None:
        asyncio.run(self._send(outputs))

    async def _send(self, outputs: tuple[Output, ...]) -> None:
        producer = kafka.producer(self.settings().kafka)
        await producer.start()
        try:
            await asyncio.gather(*await send(producer, outputs))
        finally:
            await producer.stop()

    def records(self, topic: topics.Topic, count: int) -> list[Any]:
        """The first `count` records of a topic, raw."""
        return asyncio.run(self._records(topic, count))

    async def _records(self, topic: topics.Topic, count: int) -> list[Any]:
        found: list[Any] = []
        consumer = kafka.reader(self.settings().kafka)
        await consumer.start()
        try:
            consumer.assign(
                [
                    TopicPartition(self.layout.name(topic), n)
                    for n in range(topic.partitions(PARTITIONS))
                ]
            )
            async with asyncio.timeout(DEADLINE):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        found.extend(records)
        finally:
            await consumer.stop()
        return found

    def letter(self, value: bytes, reason: str, *, offset: int = 0, **changes: str) -> Output:
        """A dead letter of a report."""
        headers = {
            "reason": reason,
            "detail": "a detail",
            "stage": "code",
            "topic": self.layout.name(topics.REPORTS),
            "partition": "1",
            "offset": str(offset),
        } | changes
        return Output(
            self.layout.name(topics.DEAD_LETTERS),
            1,
            b"wire",
            value,
            tuple((name, text.encode()) for name, text in headers.items()),
        )


@pytest.fixture
def bare(embedded_broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> Installation:
    return Installation(embedded_broker.bootstrap, prefix, tmp_path / "data")


@pytest.fixture
def here(bare: Installation) -> Installation:
    with closing(KafkaAdminClient(bootstrap_servers=bare.bootstrap)) as admin:
        topics.create(admin, bare.prefix, PARTITIONS)
    return bare


# Topics


def test_topics_are_created_once_and_then_as_they_should_be(bare: Installation) -> None:
    missing = bare.tocsin("topics", "diff", "--json")
    assert missing.exit_code == 1
    assert {each["fault"] for each in json.loads(missing.stdout)} == {"missing"}
    created = bare.answer("topics", "create")
    assert created == [bare.layout.name(topic) for topic in topics.TOPICS]
    assert bare.answer("topics", "create") == []
    same = bare.tocsin("topics", "diff")
    assert (same.exit_code, same.stderr) == (0, "")
    assert "as they should be" in same.stdout


def test_what_must_be_mended_is_told_with_its_mend(bare: Installation) -> None:
    wrong = bare.layout.name(topics.REPORTS)
    with closing(KafkaAdminClient(bootstrap_servers=bare.bootstrap)) as admin:
        admin.create_topics({wrong: {"num_partitions": 2, "configs": topics.REPORTS.config()}})
    bare.answer("topics", "create")
    found = bare.tocsin("topics", "diff")
    assert found.exit_code == 1
    said = "".join(found.stdout.split())  # a table folds what is wider than its column
    assert "TOCSIN_KAFKA_PARTITIONS=2" in said


def test_a_broker_that_does_not_answer_is_said_in_one_line(bare: Installation) -> None:
    bare.bootstrap = "127.0.0.1:1"
    found = bare.tocsin("topics", "diff")
    assert found.exit_code == 1
    assert "no Kafka broker answers at 127.0.0.1:1" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [("dead-letters", "list"), ("dead-letters", "show", "0:0"), ("dead-letters", "replay", "0:0")],
    ids=" ".join,
)
def test_a_missing_topic_is_named_and_not_made(
    command: tuple[str, ...], bare: Installation
) -> None:
    found = bare.tocsin(*command, *(["--yes"] if "replay" in command else []))
    assert found.exit_code == 1
    assert "tocsin topics create" in found.stderr
    with closing(KafkaAdminClient(bootstrap_servers=bare.bootstrap)) as admin:
        assert not [name for name in admin.list_topics() if name.startswith(bare.prefix)]


# Dead letters


def test_dead_letters_are_listed_counted_and_shown(here: Installation) -> None:
    values = [b"{", b"\xff\xfe", b'{"type": "report.v9"}']
    reasons = ["broken_json", "invalid_utf8", "unknown_schema"]
    here.send(
        *(here.letter(v, r, offset=n) for n, (v, r) in enumerate(zip(values, reasons, strict=True)))
    )
    found = here.answer("dead-letters", "list", "--limit", "2")
    assert found["total"] == 3
    assert found["reasons"] == dict.fromkeys(sorted(reasons), 1)
    assert [each["place"] for each in found["letters"]] == ["1:1", "1:2"]
    one = here.answer("dead-letters", "list", "--reason", "broken_json")
    assert [each["place"] for each in one["letters"]] == ["1:0"]
    assert here.tocsin("dead-letters", "list", "--reason", "too_large").exit_code == 1
    shown = here.tocsin("dead-letters", "show", "1:1").stdout
    for words in ("reason: invalid_utf8", "not UTF-8", "ff fe", "offset: 1"):
        assert words in shown
    for number, value in enumerate(values):
        assert here.tocsin("dead-letters", "show", f"1:{number}", "--raw").stdout_bytes == value


@pytest.mark.parametrize("place", ["1:1", "0:0", "7:0"], ids=["past", "empty", "no partition"])
def test_a_place_without_a_dead_letter_is_told(place: str, here: Installation) -> None:
    here.send(here.letter(b"{", "broken_json"))
    for command in ("show", "replay"):
        found = here.tocsin(
            "dead-letters", command, place, *(["--yes"] if command[0] == "r" else [])
        )
        assert found.exit_code == 1
        assert f"no dead letter at {place}" in found.stderr


def test_bytes_go_back_where_they_came_from_as_they_were(here: Installation) -> None:
    values = [b'{"mended": %d}' % number for number in range(5)]
    reasons = ["unknown_schema", "broken_json", "unknown_schema", "wrong_type", "unknown_schema"]
    here.send(*(here.letter(v, r) for v, r in zip(values, reasons, strict=True)))
    refused = here.tocsin("dead-letters", "replay", "--all")
    assert refused.exit_code == 1  # nobody said yes
    assert here.answer("dead-letters", "replay", "1:3", "--yes") == {"sent": 1}
    sent = here.answer("dead-letters", "replay", "--reason", "unknown_schema", "--yes")
    assert sent == {"sent": 3}
    assert here.answer("dead-letters", "replay", "--all", "--yes") == {"sent": 5}
    back = here.records(topics.REPORTS, 9)
    assert [r.value for r in back] == [values[3], *values[0::2], *values]
    assert {(r.partition, r.key) for r in back} == {(1, b"wire")}


@pytest.mark.parametrize(
    "header",
    [{"topic": "elsewhere"}, {"partition": "99"}, {"partition": "-1"}, {"topic": "{dead}"}],
    ids=[
        "another's topic",
        "no such partition",
        "a partition below zero",
        "the letters themselves",
    ],
)
def test_a_letter_from_nowhere_is_not_sent(header: dict[str, str], here: Installation) -> None:
    dead = here.layout.name(topics.DEAD_LETTERS)
    changes = {name: text.replace("{dead}", dead) for name, text in header.items()}
    here.send(here.letter(b"{", "broken_json", **changes))
    found = here.tocsin("dead-letters", "replay", "--all", "--yes")
    assert found.exit_code == 2
    assert "which is not there" in found.stderr


def test_what_still_cannot_be_read_is_a_new_dead_letter(here: Installation) -> None:
    async def go() -> list[Any]:
        async with Process(here.settings(), collect=False) as process:
            topic = here.layout.name(topics.REPORTS)
            await process.producer.send_and_wait(topic, b"{", b"wire", partition=2)
            (letter,) = await here._records(topics.DEAD_LETTERS, 1)
            place = f"{letter.partition}:{letter.offset}"
            await here.run("dead-letters", "replay", place, "--yes")
            return await here._records(topics.DEAD_LETTERS, 2)

    told = [{name: text.decode() for name, text in each.headers} for each in asyncio.run(go())]
    assert [each["reason"] for each in told] == ["broken_json", "broken_json"]
    assert [(each["partition"], each["offset"]) for each in told] == [("2", "0"), ("2", "1")]


async def _until(process: Process, ask: Callable[[], Any], holds: Callable[[Any], Any]) -> Any:
    """Ask again until the answer holds."""
    async with asyncio.timeout(DEADLINE):
        while not holds(found := await asyncio.to_thread(ask)):
            assert process.failure is None
            await asyncio.sleep(0.05)
        return found


# Acknowledgement


def test_a_command_lies_where_the_alerts_are_decided(
    here: Installation,
    filled: Path,  # noqa: F811
) -> None:
    here.data = filled
    open_ = here.answer("alerts", "list", "--state", "open")[0]["id"]
    sent = here.answer("alerts", "ack", open_[:-3], "--by", "desk", "--note", "seen")
    (record,) = here.records(topics.COMMANDS, 1)
    command = decoder(Command)(record.value)
    assert record.key == open_.encode()
    assert record.partition == partition_of(NAME, PARTITIONS)
    assert json.loads(encode(command)) == sent
    assert (command.alert, command.by, command.note) == (open_, "desk", "seen")
    newest = here.answer("status")["stream_time"]
    assert command.at == datetime.fromisoformat(newest) + timedelta(minutes=1)


def test_a_topic_with_other_partitions_takes_no_command(
    here: Installation,
    filled: Path,  # noqa: F811
) -> None:
    here.data = filled
    open_ = here.answer("alerts", "list", "--state", "open")[0]["id"]
    found = tocsin(
        *("alerts", "ack", open_, "--by", "desk"),
        data=filled,
        TOCSIN_KAFKA_BOOTSTRAP=here.bootstrap,
        TOCSIN_KAFKA_PREFIX=here.prefix,
        TOCSIN_KAFKA_PARTITIONS="5",
    )
    assert found.exit_code == 2
    assert "tocsin topics diff" in found.stderr


def test_an_acknowledged_alert_says_by_whom(here: Installation) -> None:
    before, after = _around_the_first_alert()

    async def go() -> list[Alert]:
        async with Process(here.settings(), collect=False) as process:
            await replay.feed(process.producer, process.layout, before)
            alerts = await _until(process, process.store.alerts, lambda found: found)
            await here.run("alerts", "ack", alerts[0].id, "--by", "desk")
            await replay.feed(process.producer, process.layout, after)
            return await _until(
                process,
                lambda: process.store.revisions(alerts[0].id),
                lambda found: found[-1].acknowledged_by,
            )

    revisions = asyncio.run(go())
    assert revisions[-1].acknowledged_by == "desk"
    assert "acknowledged by desk" in [each.changed for each in revisions]
    again = here.tocsin("alerts", "ack", revisions[0].id, "--by", "another")
    assert again.exit_code == 1
    assert "acknowledged before, by desk" in again.stderr
    told = here.answer("explain", revisions[0].id)
    assert any("acknowledged by desk" in each["changed"] for each in told["changes"])


def test_a_silence_is_set_listed_and_lifted(here: Installation, filled: Path) -> None:  # noqa: F811
    here.data = filled
    told = ("--by", "desk", "--reason", "road works")
    assert "nothing is silenced" in here.tocsin("alerts", "silences").stderr
    for name, lasts in (("fair", "3d"), ("works", "12h")):
        scope = ("--unit", "kandahar", "--direction", "rise")
        sent = here.answer("alerts", "silence", *scope, "--name", name, "--for", lasts, *told)
        assert (sent["alert"], sent["scope"]) == (
            name,
            {"units": ["AF-KAN"], "directions": ["rise"]},
        )
    listed = here.answer("alerts", "silences")
    assert [(each["name"], each["reason"]) for each in listed] == [
        ("works", "road works"),
        ("fair", "road works"),
    ]
    unknown = here.tocsin("alerts", "unsilence", "work", "--by", "desk")
    assert (unknown.exit_code, "did you mean works?" in unknown.stderr) == (1, True)
    here.answer("alerts", "unsilence", "works", "--by", "desk")
    assert [each["name"] for each in here.answer("alerts", "silences")] == ["fair"]


def test_every_act_leads_to_a_revision_or_a_dead_letter(here: Installation) -> None:
    before, after = _around_the_first_alert()
    last_seen = next(each.seen_at for each in reversed(before) if isinstance(each, Report))
    late = Command("c-late", "no-such-alert", "retract", last_seen, "desk", note="a hoax")

    async def go() -> list[Alert]:
        async with Process(here.settings(), collect=False) as process:
            await replay.feed(process.producer, process.layout, before)
            alerts = await _until(process, process.store.alerts, lambda found: found)
            id = alerts[0].id
            by = ("--by", "desk")
            await here.run("alerts", "assign", id, "--to", "south", *by)
            await here.run("alerts", "dispute", id, "--reason", "an old report", *by)
            silence = ("--unit", alerts[0].unit, "--for", "30d", "--reason", "works", *by)
            await here.run("alerts", "silence", *silence)
            topic = here.layout.name(topics.COMMANDS)
            target = partition_of(NAME, PARTITIONS)
            await process.producer.send_and_wait(topic, encode(late), partition=target)
            await replay.feed(process.producer, process.layout, after)
            revisions: list[Alert] = await _until(
                process,
                lambda: process.store.revisions(id),
                lambda found: found[-1].remarks and found[-1].silence and found[-1].assigned_to,
            )
            return revisions

    revisions = asyncio.run(go())
    last = revisions[-1]
    assert (last.assigned_to, last.remarks[0].text) == ("south", "an old report")
    assert last.silence is not None
    assert last.silence.reason == "works"
    (letter,) = here.records(topics.DEAD_LETTERS, 1)
    told = {name: text.decode() for name, text in letter.headers}
    assert (told["reason"], told["stage"]) == ("act_refused", "alert")
    assert decoder(Command)(letter.value) == late
    listed = here.answer("dead-letters", "list", "--reason", "act_refused")
    assert "no alert of this id" in listed["letters"][0]["headers"]["detail"]


def _around_the_first_alert() -> tuple[list[replay.Fed], list[replay.Fed]]:
    """The scenario up to a few hours after its first alert, and the two days after that."""
    reports = [each for each in scenario() if isinstance(each, Report)]
    early = [each for each in reports if each.seen_at.month == 1]
    opened = next(iter(Monitor().run(replay.timed(early, Grid())))).opened_at
    first = [each for each in reports if each.seen_at <= opened + timedelta(hours=3)]
    last = opened + timedelta(days=2)
    second = [each for each in reports[len(first) :] if each.seen_at <= last]
    return list(replay.timed(first, Grid())), list(replay.timed(second, Grid()))
