"""The one table of Kafka topics: what each carries, by what key, and how long it is kept.

Topics are created from this table before a worker starts; no broker is asked to make one up.
Those of the stages are co-partitioned: a stage's input, its state and its own commands have the
same number of partitions, so that a partition of work finds all that belongs to it in one place.
"""

from __future__ import annotations

from typing import Any, Literal

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError, for_code
from msgspec import Struct

from detectors.delivery_records import Delivery, Parcel, Subscription
from detectors.records import Alert, Command, Event, Heartbeat, Report, Score, SourceHealth, Tick

DEFAULT_PREFIX = "tocsin"
#: What a broker takes, in bytes. A report may be far smaller; a dead letter holds what came.
LARGEST_MESSAGE = 8 * 2**20
_DAY_MS = 86_400_000
_CREATE_TIMEOUT_MS = 15_000


class Topic(Struct, frozen=True):
    """One topic of the table."""

    name: str  # without the prefix
    key: str  # what the record key is
    values: tuple[type, ...]  # the records it carries; bytes where they are not ours to read
    partitioned_by: str | None  # what partitions are told apart by; None: it has one partition
    retention_ms: int | None  # None: kept for ever
    compacted: bool  # only the last record of each key is kept
    purpose: str

    def partitions(self, partitions: int) -> int:
        """Return how many partitions it has where partitioned topics have `partitions`."""
        return 1 if self.partitioned_by is None else partitions

    def config(self) -> dict[str, str]:
        """Return its settings as a broker names them."""
        if self.compacted:
            # Segments in use are not compacted: small ones keep what a worker reads at start small.
            return {
                "cleanup.policy": "compact",
                "segment.bytes": str(64 * 2**20),
                # A late write of a worker that lost its partition must not outlive the right one.
                "min.compaction.lag.ms": str(_DAY_MS),
                "max.message.bytes": str(LARGEST_MESSAGE),
            }
        retention = -1 if self.retention_ms is None else self.retention_ms
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(retention),
            "max.message.bytes": str(LARGEST_MESSAGE),
        }


REPORTS = Topic(
    name="reports.v1",
    key="source id",
    values=(Report, Heartbeat, Tick),
    partitioned_by="source id",
    retention_ms=30 * _DAY_MS,
    compacted=False,
    purpose="What the sources carried, and that they were asked.",
)
EVENTS = Topic(
    name="events.v1",
    key="unit",
    values=(Event, Tick),
    partitioned_by="unit",
    retention_ms=400 * _DAY_MS,
    compacted=False,
    purpose="What each report says happened, for each unit that it counts for.",
)
SCORES = Topic(
    name="scores.v1",
    key="signal",
    values=(Score, Tick, Command),
    partitioned_by="signal",
    retention_ms=400 * _DAY_MS,
    compacted=False,
    purpose="How unusual each unit is by each signal, or why not known; commands on alerts.",
)
ALERTS = Topic(
    name="alerts.v1",
    key="alert id",
    values=(Alert,),
    partitioned_by="alert id",
    retention_ms=None,
    compacted=False,
    purpose="Every revision of every alert: the ledger.",
)
COVERAGE = Topic(
    name="coverage.v1",
    key="source id",
    values=(SourceHealth,),
    partitioned_by="source id",
    retention_ms=None,
    compacted=True,
    purpose="How much of what a source usually carries was seen of late.",
)
COMMANDS = Topic(
    name="commands.v1",
    key="alert id",
    values=(Command,),
    partitioned_by="signal of the alert",
    retention_ms=None,
    compacted=False,
    purpose="What analysts did with alerts.",
)
SUBSCRIPTIONS = Topic(
    name="subscriptions.v1",
    key="subscription id",
    values=(Subscription,),
    partitioned_by=None,  # every worker that delivers reads all of them
    retention_ms=None,
    compacted=True,
    purpose="Who asked for which alerts.",
)
OUTBOX = Topic(
    name="outbox.v1",
    key="subscription id",
    values=(Parcel,),
    partitioned_by="subscription id",
    retention_ms=30 * _DAY_MS,
    compacted=False,
    purpose="Each alert revision on its way to each subscription that follows the alert.",
)
DELIVERIES = Topic(
    name="deliveries.v1",
    key="subscription id",
    values=(Delivery,),
    partitioned_by="subscription id",
    retention_ms=400 * _DAY_MS,
    compacted=False,
    purpose="Every attempt to deliver an alert, and why there was none.",
)
DEAD_LETTERS = Topic(
    name="dead-letters.v1",
    key="source id",
    values=(bytes,),
    partitioned_by="source id",
    retention_ms=90 * _DAY_MS,
    compacted=False,
    purpose="What could not be read: the original bytes, with the reason in headers.",
)


def _state(stage: str, partitioned_by: str) -> Topic:
    """Return the topic of a stage's checkpoints, partitioned as the stage's input is."""
    return Topic(
        name=f"state.{stage}.v1",
        key="the stage's own",
        values=(bytes,),
        partitioned_by=partitioned_by,
        retention_ms=None,
        compacted=True,
        purpose=f"Checkpoints of the {stage} stage, as JSON that only this stage reads.",
    )


STATE_CODE = _state("code", "source id")
STATE_DETECT = _state("detect", "unit")
STATE_ALERT = _state("alert", "signal")
STATE_ROUTE = _state("route", "alert id")
STATE_DELIVER = _state("deliver", "subscription id")

TOPICS: tuple[Topic, ...] = (
    REPORTS,
    EVENTS,
    SCORES,
    ALERTS,
    COVERAGE,
    COMMANDS,
    SUBSCRIPTIONS,
    OUTBOX,
    DELIVERIES,
    DEAD_LETTERS,
    STATE_CODE,
    STATE_DETECT,
    STATE_ALERT,
    STATE_ROUTE,
    STATE_DELIVER,
)


class Layout(Struct, frozen=True):
    """How the topics lie on the broker: what their names start with, and their partitions."""

    prefix: str = DEFAULT_PREFIX
    partitions: int = 4

    def name(self, topic: Topic) -> str:
        """Return the topic's name on the broker."""
        return full_name(self.prefix, topic)


Fault = Literal["missing", "partitions", "setting", "not checkable"]


class Difference(Struct, frozen=True):
    """Where a broker's topic is not as the table has it, and how to mend it."""

    topic: str
    fault: Fault
    expected: str
    found: str
    mend: str


class TopicError(RuntimeError):
    """A topic could not be created; the message names it and the broker's reason."""


def full_name(prefix: str, topic: Topic) -> str:
    """Return the topic's name on the broker.

    >>> full_name("tocsin", REPORTS)
    'tocsin.reports.v1'
    """
    return f"{prefix}.{topic.name}"


def listing(prefix: str = DEFAULT_PREFIX) -> list[dict[str, str]]:
    """Return the table in words, one row for each topic."""
    return [
        {
            "topic": full_name(prefix, topic),
            "key": topic.key,
            "value": " or ".join(value.__name__ for value in topic.values),
            "partitioned by": topic.partitioned_by or "one partition",
            "kept": _kept(topic),
            "purpose": topic.purpose,
        }
        for topic in TOPICS
    ]


def create(
    admin: KafkaAdminClient, prefix: str, partitions: int, replication: int | None = None
) -> tuple[str, ...]:
    """Create the topics that are missing, wait until all can be used, and name the new ones.

    A topic that exists is left as it is: `diff` tells whether it is as it should be.

    Raises:
        TopicError: The broker refuses a topic (the others are created all the same), or no
            partition of it has a leader after 15 s.
    """
    wanted = {
        full_name(prefix, topic): {
            "num_partitions": topic.partitions(partitions),
            **({} if replication is None else {"replication_factor": replication}),
            "configs": topic.config(),
        }
        for topic in TOPICS
    }
    existing = _partition_counts(admin, list(wanted))
    missing = {name: topic for name, topic in wanted.items() if name not in existing}
    if not missing:
        return ()
    answers = admin.create_topics(missing, raise_errors=False)["topics"]
    refused = [
        f"{answer['name']}: {answer['error_message'] or for_code(answer['error_code']).__name__}"
        for answer in answers
        # Another process may create the same table just now.
        if answer["error_code"] not in (0, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TopicError("The broker refused to create topics. " + "; ".join(refused))
    try:
        admin.wait_for_topics(list(wanted), timeout_ms=_CREATE_TIMEOUT_MS)
    except KafkaTimeoutError as error:
        raise TopicError(f"The broker took the topics but does not serve them: {error}") from error
    return tuple(answer["name"] for answer in answers if answer["error_code"] == 0)


def diff(admin: KafkaAdminClient, prefix: str, partitions: int) -> list[Difference]:
    """Return where the broker's topics are not as the table has them, in the table's order."""
    names = [full_name(prefix, topic) for topic in TOPICS]
    counts = _partition_counts(admin, names)
    settings = _settings(admin, [name for name in names if name in counts])
    found: list[Difference] = []
    for name, topic in zip(names, TOPICS, strict=True):
        if name not in counts:
            found.append(Difference(name, "missing", "a topic", "none", "tocsin topics create"))
            continue
        found += _diff_partitions(name, topic.partitions(partitions), counts[name])
        for key, value in topic.config().items():
            found += _diff_setting(name, key, value, settings[name].get(key))
    return found


def _diff_partitions(name: str, expected: int, found: int) -> list[Difference]:
    if found == expected:
        return []
    # Partitions are not simply added: a key's records would go on in another partition.
    mend = (
        f"set TOCSIN_KAFKA_PARTITIONS={found} if all topics have {found}; otherwise stop the "
        f"workers, delete {name}, then tocsin topics create and replay"
    )
    if expected == 1:
        mend = f"stop the workers, delete {name}, then tocsin topics create and replay"
    return [Difference(name, "partitions", str(expected), str(found), mend)]


def _diff_setting(name: str, key: str, expected: str, found: str | None) -> list[Difference]:
    setting = f"{key}={expected}"
    if found is None:
        mend = "none needed if the broker is in memory; otherwise ask who runs it"
        return [Difference(name, "not checkable", setting, f"{key} is not told", mend)]
    if sorted(found.split(",")) == sorted(expected.split(",")):
        return []
    mend = f"python -m kafka.admin -b BROKER configs alter -r topic -n {name} -c {setting}"
    return [Difference(name, "setting", setting, f"{key}={found}", mend)]


def _partition_counts(admin: KafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Return the number of partitions of each of the topics that exist."""
    # Topics are asked for by name only if they exist: some brokers create what they are asked for.
    existing = sorted(set(admin.list_topics()) & set(names))
    if not existing:
        return {}
    described = admin.describe_topics(existing)
    return {topic["name"]: len(topic["partitions"]) for topic in described if topic["partitions"]}


def _settings(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the settings of each topic as far as the broker tells them."""
    told: dict[str, dict[str, str]] = {name: {} for name in names}
    if not names:
        return told
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer: dict[str, Any] = admin.describe_configs(resources, config_filter="all")
    for name, entries in answer.get("topic", {}).items():
        told[name] = {key: str(entry["value"]) for key, entry in entries.items()}
    return told


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "the last of each key"
    return "for ever" if topic.retention_ms is None else f"{topic.retention_ms // _DAY_MS} d"
