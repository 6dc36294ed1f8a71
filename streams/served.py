"""A document as the HTTP server hands it to a reader, whoever wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeAlias


class Document(NamedTuple):
    """A document as it is now. A reader that has it already is told so."""

    body: bytes
    content_type: str
    modified: datetime | None = None  # when it was last changed, if that is known

    @property
    def etag(self) -> str:
        """Its strong ETag, quotes included."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


#: Returns the document at a path, None where there is none. The path is as the reader wrote it.
Documents: TypeAlias = Callable[[str], Document | None]
