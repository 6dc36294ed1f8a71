"""A Kafka broker run as a child process: it answers before we go on, and it ends when we end.

Standard library only: the embedded broker and `deploy/kafka/node.py` both stand on it.
"""

from __future__ import annotations

import atexit
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

#: Lines of a server's output that are kept, for the error message.
KEPT_LINES = 200

# The kernel ends the server when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG = 1).
# Set by a small program that then becomes the server: code run between fork and exec of a
# process with threads (`preexec_fn`) can deadlock. A parent that is already gone is noticed.
_GUARD = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit('the parent process has ended')\n"
    "try: os.execv(sys.argv[2], sys.argv[2:])\n"
    "except OSError as fault: sys.exit(f'{sys.argv[2]}: {fault}')\n"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_POLL_SECONDS = 0.01


class ChildError(RuntimeError):
    """The server did not start, or ended too early; the message holds its last output."""


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different loopback TCP ports that nothing listens on just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return tuple(int(listener.getsockname()[1]) for listener in sockets)


def answers(port: int, cluster: str) -> bool:
    """Tell whether the broker on loopback `port` belongs to `cluster` and can be worked with.

    A Metadata request, version 2 of the Kafka protocol, in the fewest bytes: client libraries log
    every attempt, and only a broker that takes requests lists itself in the answer. The cluster id
    tells our broker from another server that took the port first.
    """
    client = b"tocsin"
    request = struct.pack(f">hhih{len(client)}si", 3, 2, 1, len(client), client, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                answer = stream.read(size)
        brokers, at = struct.unpack_from(">i", answer, 4)[0], 8
        for _ in range(brokers):
            at += 4 + 2 + struct.unpack_from(">h", answer, at + 4)[0] + 4  # id, host, port
            at += 2 + max(0, struct.unpack_from(">h", answer, at)[0])  # rack, -1 for none
        length = struct.unpack_from(">h", answer, at)[0]
    except (OSError, struct.error):
        return False
    return brokers > 0 and answer[at + 2 : at + 2 + length] == cluster.encode()


class Child:
    """A server process whose output is kept and which dies with this process.

    On Linux that holds even if this process is killed; elsewhere only if it ends by itself.
    The server leads its own session, so that Ctrl-C reaches us alone and we stop it in order.

    Args:
        name: What the server is called in error messages.
        command: The program, by its full path, and its arguments.
        environment: The environment of the server; None passes ours on.
        directory: The working directory of the server; None keeps ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self._name = name
        self._command = [*_guard(), *command]
        self._environment = environment
        self._directory = directory
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: subprocess.Popen[str] | None = None
        self._fault: OSError | None = None
        self._started = threading.Event()
        self._ended = threading.Event()

    @property
    def pid(self) -> int:
        """The process id of the server.

        Raises:
            ChildError: The server was never started.
        """
        if self._process is None:
            raise ChildError(f"{self._name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._started.is_set() and not self._ended.is_set()

    @property
    def output(self) -> str:
        """The last lines that the server wrote to its standard output and error."""
        return "\n".join(self._lines)

    def start(self) -> None:
        """Start the server, without waiting until it answers.

        Raises:
            ChildError: The program cannot be run.
        """
        # The server dies with the thread that starts it. This one lives as long as the server,
        # so that a server may be started from a short-lived thread.
        threading.Thread(target=self._keep, name=f"keep {self._name}", daemon=True).start()
        self._started.wait()
        if self._fault is not None:
            raise ChildError(f"{self._name} cannot be run: {self._fault}") from self._fault
        atexit.register(self.kill)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says yes.

        Raises:
            ChildError: The server ended, or `seconds` have passed. It is stopped then.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._ended.wait(_POLL_SECONDS):
                raise ChildError(f"{self._name} ended while starting. {self._last_words()}")
            if time.monotonic() > deadline:
                self.kill()
                late = f"{self._name} did not answer within {seconds:g} s."
                raise ChildError(f"{late} {self._last_words()}")

    def stop(self, seconds: float) -> None:
        """Ask the server to end, and kill it if it has not after `seconds`."""
        if self._process is not None and self.running:
            self._process.terminate()
            self._ended.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """Kill the server (SIGKILL) and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._ended.wait()
        atexit.unregister(self.kill)

    def _keep(self) -> None:
        """Start the server, keep its output, and stay until it has ended."""
        try:
            process = subprocess.Popen(  # noqa: S603 - the command is ours, without a shell
                self._command,
                cwd=self._directory,
                env=None if self._environment is None else dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as fault:
            self._fault = fault
            self._ended.set()
            self._started.set()
            return
        self._process = process
        self._started.set()
        if process.stdout is not None:
            with process.stdout as output:
                self._lines.extend(_COLOUR.sub("", line.rstrip()) for line in output)
        process.wait()
        self._ended.set()

    def _last_words(self) -> str:
        return f"Its last output:\n{self.output}" if self._lines else "It wrote nothing."


def _guard() -> list[str]:
    """Return what to put before a command so that the server ends with us: nothing off Linux."""
    if sys.platform != "linux":
        return []
    return [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid())]
