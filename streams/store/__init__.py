"""The projection: what the topics say, in tables that console, API and dashboards can ask.

Kafka is the record. The store can be dropped and rebuilt from the topics, so it has a version and
no migrations. `README.md` beside this file states what it keeps and what it promises.
"""

from __future__ import annotations

from streams.store.queries import Channel, DailyScore, Evidence, StoredReport
from streams.store.schema import SCHEMA_VERSION
from streams.store.store import Store

__all__ = ["SCHEMA_VERSION", "Channel", "DailyScore", "Evidence", "Store", "StoredReport"]
