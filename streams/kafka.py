"""How to reach the broker: options for each client, from one set of settings."""

from __future__ import annotations

import ssl
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust import SASLCredentials, SSLCredentials
from kafka.admin import KafkaAdminClient

from streams.settings import Kafka, SettingsError
from streams.topics import LARGEST_MESSAGE, Layout

NO_BROKER = (
    "no Kafka broker is set: set TOCSIN_KAFKA_BOOTSTRAP=host:9092 (or kafka.bootstrap in "
    "tocsin.toml), or take --embedded for a broker in memory on this machine"
)


def bootstrap(kafka: Kafka) -> str:
    """Return the broker's address.

    Raises:
        SettingsError: when none is set.
    """
    if not kafka.bootstrap:
        raise SettingsError(NO_BROKER)
    return kafka.bootstrap


def layout(kafka: Kafka) -> Layout:
    """Return how the topics lie."""
    return Layout(kafka.prefix, kafka.partitions)


def _tls(kafka: Kafka) -> ssl.SSLContext | None:
    if "SSL" not in kafka.security:
        return None
    context = ssl.create_default_context(cafile=str(kafka.ca_file) if kafka.ca_file else None)
    if kafka.cert_file is not None:
        context.load_cert_chain(kafka.cert_file, kafka.key_file)
    return context


def aiokafka_options(kafka: Kafka) -> dict[str, Any]:
    """Return connection options for aiokafka's clients."""
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap(kafka).split(","),
        "security_protocol": kafka.security,
        "ssl_context": _tls(kafka),
    }
    if "SASL" in kafka.security:
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password.get_secret_value() if kafka.password else None,
        }
    return options


def kafka_python_options(kafka: Kafka) -> dict[str, Any]:
    """Return connection options for kafka-python's clients."""
    options = aiokafka_options(kafka)
    if options["ssl_context"] is None:
        del options["ssl_context"]
    return options


def faust_options(kafka: Kafka) -> dict[str, Any]:
    """Return connection options for a Faust app."""
    options: dict[str, Any] = {
        "broker": [f"kafka://{address}" for address in bootstrap(kafka).split(",")]
    }
    context = _tls(kafka)
    if "SASL" in kafka.security:
        options["broker_credentials"] = SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value() if kafka.password else None,
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    elif context is not None:
        options["broker_credentials"] = SSLCredentials(context)
    return options


def admin(kafka: Kafka) -> KafkaAdminClient:
    """Return an administration client; close it after use."""
    return KafkaAdminClient(**kafka_python_options(kafka))


def reader(kafka: Kafka, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's own
    """Return a consumer that belongs to no group and reads from the beginning."""
    return AIOKafkaConsumer(
        **aiokafka_options(kafka),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=LARGEST_MESSAGE,
        **options,
    )


def producer(kafka: Kafka, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - aiokafka's own
    """Return a producer whose records stay in order and single."""
    return AIOKafkaProducer(
        **aiokafka_options(kafka),
        acks="all",
        enable_idempotence=kafka.idempotent,
        max_request_size=LARGEST_MESSAGE,
        max_batch_size=512 * 1024,
        **options,
    )
