"""What keeps an address that a subscriber typed from reaching the operator's own network.

A host name is resolved once for each connection, every address it has must be a public one, and
the connection is made to just those addresses, so that a DNS answer that changes between check
and use changes nothing (OWASP, Server-Side Request Forgery Prevention Cheat Sheet).
"""

from __future__ import annotations

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from streams.sinks.base import Resolve

#: The only IPv6 space that is assigned to public hosts (IANA, IPv6 Global Unicast).
_PUBLIC_IPV6: Final = IPv6Network("2000::/3")
#: Inside it: an IPv4 address in disguise (6to4), and documentation (RFC 9637).
_NOT_PUBLIC_IPV6: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
#: IPv4 behind an IPv6-only network (RFC 6052): judged by the IPv4 address it carries.
_NAT64: Final = IPv6Network("64:ff9b::/96")
#: Anycast that the nearest router or relay answers (RFC 7723, 8155), though called reachable.
_NEAREST_IPV4: Final = IPv4Network("192.0.0.0/24")
_LONGEST_ADDRESS: Final = 2_000
_AUTHORITY_END: Final = re.compile("[/?#]")
_NAME: Final = re.compile(r"[a-z0-9_.-]+")


class ForbiddenAddress(Exception):
    """The address may not be contacted; the message says why."""


def check_url(address: str, allowed_hosts: frozenset[str]) -> URL:
    """Return the subscriber's address as a URL, if its form is one that may be contacted.

    Args:
        address: What the subscriber gave.
        allowed_hosts: Host names for which http, any port and any address are allowed.

    Raises:
        ForbiddenAddress: It is not a URL, or not https on port 443 to a public host name.
    """
    if len(address) > _LONGEST_ADDRESS or not address.isascii() or not address.isprintable():
        raise ForbiddenAddress("the address is too long or has characters no URL has")
    if any(mark in address for mark in ' \\<>"{}|^`'):
        raise ForbiddenAddress("the address has characters no URL has")
    try:
        url = URL(address)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise ForbiddenAddress("the address is not a URL") from error
    if not host or url.scheme not in ("https", "http"):
        raise ForbiddenAddress("the address is not an https URL with a host")
    # By the text: a parser may drop an empty user name.
    if "@" in _AUTHORITY_END.split(address.partition("//")[2])[0]:
        raise ForbiddenAddress("the address carries a user name or password")
    if host in allowed_hosts:
        return url
    if url.scheme != "https" or port != 443:
        raise ForbiddenAddress("only https on port 443 is contacted")
    if not _is_name(host):
        check_ip(host)
    elif not _NAME.fullmatch(host):
        raise ForbiddenAddress("the host has characters no host name has")
    return url


def check_ip(text: str) -> None:
    """Check that a textual IP address is a public unicast one.

    Raises:
        ForbiddenAddress: It is private, loopback, link-local, multicast, reserved, or no address.
    """
    try:
        address = ip_address(text)
    except ValueError as error:
        raise ForbiddenAddress("the host is a number but not an IP address") from error
    if not _is_public(address):
        raise ForbiddenAddress("the host is not at a public address")


def _is_name(host: str) -> bool:
    """Whether the host goes to the resolver: aiohttp takes all digits or a colon as an address."""
    return ":" not in host and not host.replace(".", "").isdigit()


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    # `is_global` alone lets multicast, 6to4, NAT64, IPv4-compatible and site-local addresses pass.
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.scope_id is not None:
            return False
        if address in _NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _PUBLIC_IPV6 or any(address in each for each in _NOT_PUBLIC_IPV6):
            return False
    elif address in _NEAREST_IPV4:
        return False
    return address.is_global and not address.is_multicast


async def system_resolve(host: str, port: int) -> list[str]:
    """Resolve a host name as the operating system does.

    Raises:
        OSError: The name has no address, or no answer came.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class GuardedResolver(AbstractResolver):
    """A resolver for aiohttp that answers with checked addresses only.

    aiohttp connects to the addresses this returns and asks no more: the check is the pin.
    """

    def __init__(self, resolve: Resolve, allowed_hosts: frozenset[str]) -> None:
        self._resolve = resolve
        self._allowed_hosts = allowed_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return every address of the host, all of them public or the host allowed.

        Raises:
            ForbiddenAddress: One address at least is not public, or the host is no host name.
            OSError: The name could not be resolved.
        """
        try:
            addresses = list(dict.fromkeys(await self._resolve(host, port)))
        except UnicodeError as error:  # a label that is empty or longer than 63
            raise ForbiddenAddress("the host is not a host name") from error
        if not addresses:
            raise OSError("the host has no address")
        if host not in self._allowed_hosts:
            for address in addresses:
                check_ip(address)
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Hold nothing that needs release."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
