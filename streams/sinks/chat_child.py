"""Send one message with Apprise, in a process of its own: `chat.py` runs this file.

Standard input is a JSON object with `url`, `title`, `body` and `seconds`; standard output gets one
with `state` ("delivered", "failed" or "unreadable") and the HTTP `status`, where one was logged.
Apprise reads replies whole and cannot be stopped; a process can, and has a limit of memory.
"""

from __future__ import annotations

import json
import math
import re
import resource
import signal
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Final

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.common import OverflowMode

_MOST_MEMORY: Final = 256 << 20  # bytes of address space; Apprise needs less than 100 MB
#: How Apprise's services log the status of a reply that they do not like.
_STATUS: Final = re.compile(r"\berror=([1-5][0-9]{2})\b")


def main() -> None:
    """Send what standard input asks for."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    signal.alarm(math.ceil(asked["seconds"]) + 1)  # where nobody is left who would end us
    with redirect_stdout(StringIO()):
        said = send(asked["url"], asked["title"], asked["body"], asked["seconds"])
    print(json.dumps(said))


def send(url: str, title: str, body: str, seconds: float) -> dict[str, Any]:
    """Send a title and a body to one Apprise URL, within `seconds` for each step of it."""
    asset = AppriseAsset(
        app_id="Tocsin",
        app_desc="Tocsin",
        app_url="",
        async_mode=False,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode="memory",
        service_timeout=0,
        allow_templates=False,
    )
    service = Apprise.instantiate(url, asset=asset)
    if service is None:
        return {"state": "unreadable"}
    service.socket_connect_timeout = service.socket_read_timeout = seconds
    service.overflow_mode = OverflowMode.SPLIT  # rather than refused for its length
    sender = Apprise(asset=asset)
    sender.add(service)
    result = sender.notify(
        body, title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT
    )
    if result:
        return {"state": "delivered"}
    found = [_STATUS.search(str(entry.message)) for entry in result.logs()]
    statuses = [int(each[1]) for each in found if each]
    return {"state": "failed", "status": statuses[-1] if statuses else None}


if __name__ == "__main__":
    main()
