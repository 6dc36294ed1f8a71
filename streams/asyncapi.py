"""The topics as an AsyncAPI 3.0 document: for those who read alerts from Kafka itself.

It is made of the one table of topics (`topics.py`) and of the records' own schemas.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

import msgspec

from streams import topics
from streams.codecs import TYPES, tag_of

VERSION: Final = "3.0.0"
_BINDING: Final = "0.5.0"  # of Kafka


def document(prefix: str = topics.DEFAULT_PREFIX, partitions: int | None = None) -> dict[str, Any]:
    """Return the document.

    Args:
        prefix: What every topic name starts with.
        partitions: Of each partitioned topic, if that is known.
    """
    public = [topic for topic in topics.TOPICS if bytes not in topic.values]
    payloads, schemas = msgspec.json.schema_components(
        TYPES, ref_template="#/components/schemas/{name}"
    )
    names = list(map(tag_of, TYPES))
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Tocsin",
            "version": metadata.version("tocsin"),
            "description": "Early warning for Afghanistan and Pakistan: the records on its topics. "
            "A score is a model's judgement of unusual activity.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, prefix, partitions) for topic in public},
        "operations": {
            f"receive-{topic.name}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": topic.purpose,
            }
            for topic in public
        },
        "components": {
            "messages": {
                name: {"name": name, "payload": payload}
                for name, payload in zip(names, payloads, strict=True)
            },
            "schemas": schemas,
        },
    }


def _channel(topic: topics.Topic, prefix: str, partitions: int | None) -> dict[str, Any]:
    tags = list(map(tag_of, topic.values))
    kafka: dict[str, Any] = {"bindingVersion": _BINDING, "topic": topics.full_name(prefix, topic)}
    if partitions is not None:
        kafka["partitions"] = topic.partitions(partitions)
    kafka["topicConfiguration"] = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        **({} if topic.compacted else {"retention.ms": topic.retention_ms or -1}),
    }
    return {
        "address": topics.full_name(prefix, topic),
        "description": f"{topic.purpose} Key: {topic.key}.",
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in tags},
        "bindings": {"kafka": kafka},
    }
