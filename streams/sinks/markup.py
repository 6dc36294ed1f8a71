"""XML as the documents write it: text that XML cannot carry is replaced, never dropped unseen."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from lxml import etree

#: What XML 1.0 cannot carry.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def root(namespace: str, name: str) -> etree._Element:
    """Return a document's root element, in a namespace that needs no prefix."""
    return etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace})


def add(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """Add an element in the parent's namespace, with a text and attributes, and return it."""
    child = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    for key, value in attributes.items():
        child.set(key, _clean(value))
    if text is not None:
        child.text = _clean(text)
    return child


def written(element: etree._Element) -> bytes:
    """Return the document of a root element, in UTF-8."""
    document: bytes = etree.tostring(
        element, xml_declaration=True, encoding="utf-8", pretty_print=True
    )
    return document


def rfc3339(at: datetime) -> str:
    """Write an instant as Atom and JSON Feed want it.

    >>> rfc3339(datetime(2026, 3, 1, 6, tzinfo=UTC))
    '2026-03-01T06:00:00Z'
    """
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
