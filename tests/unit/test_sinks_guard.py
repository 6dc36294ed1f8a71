"""Addresses that a subscriber may type and that must not be contacted, in many disguises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from streams.sinks import Answer, Delivered, Rejected, Retry, of_alert
from streams.sinks.base import Resolve
from streams.sinks.guard import ForbiddenAddress, check_ip, check_url, system_resolve
from streams.sinks.webhook import WebhookSink
from tests.alert_records import alert, subscription
from tests.http_receiver import context, receiver, status

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def send(url: str, **changes: Any) -> Answer:
    sink = WebhookSink(context(**changes))
    desk = subscription(address=url)
    try:
        return await sink.send(of_alert(alert(1, 2), desk), desk, SECRET)
    finally:
        await sink.close()


def answers(*given: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A resolver that gives these answers one after the other, the last for ever."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return given[min(len(asked), len(given)) - 1]

    return resolve, asked


FORGED = {
    "loopback": "https://127.0.0.1/",
    "loopback, another": "https://127.8.9.10/",
    "loopback by another name": "https://ip6-localhost/",
    "loopback, short": "https://127.1/",
    "loopback, hexadecimal": "https://0x7f.1/",
    "loopback, hexadecimal in one": "https://0x7f000001/",
    "loopback, decimal": "https://2130706433/",
    "loopback, octal": "https://0177.0.0.1/",
    "loopback, octal in one": "https://017700000001/",
    "loopback, a full stop after it": "https://127.0.0.1./",
    "loopback, leading zeros": "https://127.000.000.001/",
    "loopback, mixed": "https://0x7f.0.0.0x1/",
    "loopback by name": "https://localhost/",
    "loopback by name, a full stop after it": "https://localhost./",
    "loopback by name, in capitals": "https://LOCALHOST/",
    "loopback by name, other scheme of writing": "https:localhost/",
    "loopback, escaped": "https://127%2e0.0.1/",
    "loopback, ideographic full stops": "https://127\u30020\u30020\u30021/",
    "loopback, wide digits": "https://\uff11\uff12\uff17.0.0.1/",
    "loopback, IPv6": "https://[::1]/",
    "loopback, IPv6 in full": "https://[0:0:0:0:0:0:0:1]/",
    "loopback, IPv6 with a zone": "https://[::1%25lo]/",
    "loopback, IPv4 mapped": "https://[::ffff:127.0.0.1]/",
    "loopback, IPv4 mapped in hexadecimal": "https://[::ffff:7f00:1]/",
    "loopback, IPv4 compatible": "https://[::127.0.0.1]/",
    "loopback, IPv4 translated": "https://[::ffff:0:7f00:1]/",
    "loopback, NAT64 of a site": "https://[64:ff9b:1::7f00:1]/",
    "loopback, NAT64": "https://[64:ff9b::7f00:1]/",
    "loopback, 6to4": "https://[2002:7f00:1::]/",
    "loopback, Teredo": "https://[2001:0:7f00:1::]/",
    "unspecified": "https://0.0.0.0/",
    "unspecified, short": "https://0/",
    "unspecified, IPv6": "https://[::]/",
    "link-local, cloud metadata": "https://169.254.169.254/latest/",
    "link-local, IPv4 mapped": "https://[::ffff:169.254.169.254]/",
    "link-local, decimal": "https://2852039166/",
    "link-local, IPv4 mapped in hexadecimal": "https://[::ffff:a9fe:a9fe]/",
    "link-local, IPv6": "https://[fe80::1]/",
    "link-local, IPv6 with a zone": "https://[fe80::1%25eth0]/",
    "private, 10": "https://10.0.0.1/",
    "private, 172.16": "https://172.16.0.1/",
    "private, 192.168": "https://192.168.0.1/",
    "private, IPv6": "https://[fd00::1]/",
    "site-local, IPv6": "https://[fec0::1]/",
    "shared between carriers": "https://100.64.0.1/",
    "the nearest router": "https://192.0.0.9/",
    "multicast": "https://224.0.0.1/",
    "multicast, IPv6": "https://[ff02::1]/",
    "broadcast": "https://255.255.255.255/",
    "a user name": "https://user@hook.example/",
    "a user name and password": "https://user:password@hook.example/",
    "an empty user name": "https://@hook.example/",
    "a host as user name": "https://hook.example@127.0.0.1/",
    "a backslash": "https://hook.example\\@127.0.0.1/",
    "a line break": "https://hook.example/\r\nHost: x",
    "a tab in the host": "https://127.0.0.1\t.example/",
    "a space": "https://hook.example /",
    "plain http": "http://hook.example/",
    "another port": "https://hook.example:8443/",
    "port zero": "https://hook.example:0/",
    "a port out of range": "https://hook.example:99999/",
    "data": "data:text/plain,x",
    "dict": "dict://127.0.0.1:11211/stats",
    "a file on this host": "file://localhost/etc/passwd",
    "gopher with a payload": "gopher://127.0.0.1:6379/_SET%20a%20b",
    "a web socket": "wss://hook.example/",
    "a socket of the system": "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://hook.example/",
    "ftp": "ftp://hook.example/",
    "no scheme": "hook.example/",
    "only slashes": "//hook.example/",
    "no host": "https:///path",
    "a broken IPv6 address": "https://[::1/",
    "an empty label": "https://a..example/",
    "a label that is too long": f"https://{'a' * 64}.example/",
    "nothing": "",
    "endless": "https://hook.example/" + "a" * 3_000,
}


@pytest.mark.parametrize("url", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_address_is_refused(url: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        # Loopback's many spellings are the system's to read; names are not asked for outside.
        if host == "hook.example":
            raise AssertionError("a refused URL must not be resolved")
        is_local = host.rstrip(".") in ("localhost", "ip6-localhost")
        return ["127.0.0.1"] if is_local else await system_resolve(host, port)

    answer = await send(url, resolve=resolve, timeout_seconds=1.0, allowed_hosts=frozenset())
    assert isinstance(answer, Rejected), answer
    assert answer.reason
    assert "password" not in answer.reason.replace("user name or password", "")


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["fe80::1%eth0"]],
    ids=["loopback", "loopback IPv6", "private, mapped", "one of two is private", "link-local"],
)
async def test_a_name_for_a_private_address_is_refused(addresses: list[str]) -> None:
    resolve, asked = answers(addresses)
    answer = await send("https://hook.example/", resolve=resolve)
    assert answer == Rejected("the host is not at a public address")
    assert asked == ["hook.example"]


async def test_a_name_is_resolved_once_and_that_answer_is_connected_to() -> None:
    # The first answer passes the check (a retired anycast range that nobody serves). A second
    # look-up would lead to loopback.
    resolve, asked = answers(["192.88.99.1"], ["127.0.0.1"])
    sink = WebhookSink(context(resolve=resolve, timeout_seconds=0.3))
    address = subscription(address="https://hook.example/")
    first = await sink.send(of_alert(alert(1), address), address, SECRET)
    assert isinstance(first, Retry)
    assert asked == ["hook.example"]
    second = await sink.send(of_alert(alert(1), address), address, SECRET)
    assert second == Rejected("the host is not at a public address")
    await sink.close()


@pytest.mark.parametrize(
    ("headers", "times"),
    [
        pytest.param({"Connection": "close"}, 3, id="each connection resolves anew"),
        pytest.param({}, 1, id="a connection that is kept goes where it was checked to go"),
    ],
)
async def test_an_address_is_checked_for_each_connection(
    headers: dict[str, str], times: int
) -> None:
    resolve, asked = answers(["127.0.0.1"])
    sink = WebhookSink(context(resolve=resolve))
    async with receiver(status(204, **headers)) as seen:
        for _ in range(3):
            desk = subscription(address=seen.url)
            assert await sink.send(of_alert(alert(1), desk), desk, SECRET) == Delivered()
    await sink.close()
    assert asked == ["localhost"] * times


@pytest.mark.parametrize(
    "url", ["https://hook.example/a?b=c#d", "https://xn--bcher-kva.example/", "https://1.1.1.1/"]
)
def test_a_public_address_is_accepted(url: str) -> None:
    assert str(check_url(url, frozenset())) == url


def test_the_operator_may_allow_a_private_host_but_never_a_user_name() -> None:
    allowed = frozenset({"intranet", "10.0.0.1"})
    assert check_url("http://intranet:8080/hook", allowed).port == 8080
    assert check_url("http://10.0.0.1/hook", allowed).host == "10.0.0.1"
    with pytest.raises(ForbiddenAddress):
        check_url("http://user@intranet:8080/hook", allowed)
    with pytest.raises(ForbiddenAddress):
        check_url("http://intranet.example/hook", allowed)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_public_ip_passes(text: str) -> None:
    check_ip(text)


@pytest.mark.parametrize("text", ["3fff::1", "5f00::1", "100::1", "2001:db8::1", "x", "", "1"])
def test_an_ip_that_is_not_public_does_not_pass(text: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_ip(text)
