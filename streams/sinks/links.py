"""Where a reader of a message can see more of an alert."""

from __future__ import annotations

from urllib.parse import quote


def page_of(alert_id: str, console_url: str | None) -> str | None:
    """Return the address of an alert's page in the console; None where there is no console.

    >>> page_of("S1-rise-AF-KAN", "https://tocsin.example/")
    'https://tocsin.example/alerts/S1-rise-AF-KAN'
    """
    if not console_url:
        return None
    return f"{console_url.rstrip('/')}/alerts/{quote(alert_id, safe='')}"
