"""What a process lets be read of alerts: the feed of all, and each subscription's document."""

from __future__ import annotations

from datetime import datetime

from streams.served import Document
from streams.settings import Settings
from streams.sinks import DOCUMENTS
from streams.sinks.documents import DocumentInfo, read
from streams.sinks.feed import render
from streams.store import Store
from streams.subscriptions import configured


class Published:
    """Answers on the HTTP server's threads; it holds nothing but the store."""

    def __init__(self, settings: Settings, store: Store, since: datetime) -> None:
        """Take the settings, the store, and when the process began: an empty feed's time."""
        self._settings = settings
        self._store = store
        self._since = since
        self._own = tuple(configured(settings).values())

    def feed(self, address: str) -> bytes:
        """Render all alerts as the feed of this installation, which is served at an address."""
        about = DocumentInfo(
            source=self._settings.delivery.source,
            name="alerts",
            self_url=f"{address}/feed.atom",
            empty_since=self._since,
        )
        return render(self._store.alerts(), about)

    def document(self, path: str) -> Document | None:
        """Return the document of a subscription at a path below `/feeds/`."""
        asked = (*self._own, *self._store.subscriptions())
        return read(self._settings.worker.data_dir / "feeds", DOCUMENTS, asked, path)
