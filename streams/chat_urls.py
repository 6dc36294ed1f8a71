"""Which Apprise URLs an operator may set as a chat: those of chat services, and nothing clever.

Apprise speaks to some 170 services. Some of them run programs, write to the desktop or to log
files; some options read a file or fetch a URL, and would put it into the chat. So services are
listed by what is allowed, not by what is known to be harmful.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

#: Apprise's name of each service, by what people call it. A last "s" is the one over TLS.
CHATS: Final = {
    "Discord": ("discord",),
    "Google Chat": ("gchat",),
    "Gotify": ("gotify", "gotifys"),
    "Matrix": ("matrix", "matrixs"),
    "Mattermost": ("mmost", "mmosts"),
    "Microsoft Teams": ("workflow", "workflows"),
    "Nextcloud Talk": ("nctalk", "nctalks"),
    "ntfy": ("ntfy", "ntfys"),
    "Rocket.Chat": ("rocket", "rockets"),
    "Ryver": ("ryver",),
    "Signal": ("signal", "signals"),
    "Slack": ("slack",),
    "Telegram": ("tgram",),
    "Webex": ("webex", "wxteams"),
    "Zulip": ("zulip",),
    "any server that takes JSON": ("json", "jsons"),
}
SCHEMES: Final = frozenset(scheme for schemes in CHATS.values() for scheme in schemes)
#: Options that are refused, and why.
_REFUSED: Final = {
    "template": "it reads a file or fetches a URL",
    "attach": "it sends a file or a URL",
    "avatar_url": "it has a URL fetched",
    "icon_url": "it has a URL fetched",
    "redirect": "redirects are not followed",
    "optional": "a failure would look like a success",
    "retry": "Tocsin tries again itself",
    "wait": "Tocsin tries again itself",
    "store": "nothing is kept between messages",
}
_LONGEST: Final = 2_000


class ForbiddenChat(ValueError):
    """The URL may not be used as a chat; the message says why, and never repeats the URL."""


def check_chat_url(url: str) -> None:
    """Check that a URL is one of a chat service, without options that reach elsewhere.

    Raises:
        ForbiddenChat: It is another service's, has a refused option, or is no URL.
    """
    # Apprise takes spaces and commas for the end of one URL, and a backslash for a slash.
    if len(url) > _LONGEST or not url.isprintable() or any(mark in url for mark in " ,\\"):
        raise ForbiddenChat("a chat's URL is too long, or has a space, comma or backslash in it")
    scheme, found, rest = url.partition("://")
    if not found or not rest.strip("/"):
        raise ForbiddenChat("a chat is written as an Apprise URL, such as slack://...")
    if scheme.lower() not in SCHEMES:
        known = ", ".join(f"{first}://" for first, *_ in CHATS.values())
        raise ForbiddenChat(f"this is no chat that Tocsin sends to; there are {known}")
    for pair in re.split("[&;]", rest.partition("?")[2]):  # as Apprise does
        option = unquote(pair.partition("=")[0]).strip().lower()
        if option in _REFUSED:
            raise ForbiddenChat(f"the option {option!r} is refused: {_REFUSED[option]}")
