"""One real Apache Kafka node, for tests and for development: `python deploy/kafka/node.py`.

The jars are resolved once by Maven from the `pom.xml` beside this file into `.cache/kafka/` of the
checkout. Standard library only. `README.md` tells what is needed and how it is used.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.append(str(CHECKOUT))  # as a script, only this folder is on the path

from streams.child import Child, ChildError, answers, free_ports  # noqa: E402

#: Folder of a Kafka to use instead: an unpacked release, with its jars in `libs/`.
KAFKA_HOME = "KAFKA_HOME"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
_RESOLVE_SECONDS = 1_800

_GET_JAVA = (
    "Apache Kafka needs Java 17 or later. Debian, Ubuntu: apt-get install openjdk-17-jre-headless; "
    "macOS: brew install openjdk@17; or set JAVA_HOME"
)
_GET_MAVEN = (
    "Maven resolves the jars of Apache Kafka. Debian, Ubuntu: apt-get install maven; "
    f"macOS: brew install maven; or set {KAFKA_HOME} to the folder of an unpacked Kafka release"
)


class KafkaNodeError(RuntimeError):
    """The node cannot be had or did not start; the message says what to do about it."""


class ToolMissingError(KafkaNodeError):
    """Java or Maven is not installed."""


class KafkaNode:
    """A single Apache Kafka node on free loopback ports, with its data in a folder.

    As a context manager it is started, and stopped at the end. It also ends when this process
    does, even by a kill (on Linux).

    Args:
        directory: Where its configuration and data are kept; None takes a temporary folder that
            goes with the context. A folder that was used before gives its data and address.
        settings: Further lines of `server.properties`.
        heap: The most memory that Java's heap may take, as `-Xmx` has it.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        heap: str = "512m",
    ) -> None:
        self._scratch = (
            tempfile.TemporaryDirectory(prefix="kafka-", ignore_cleanup_errors=True)
            if directory is None
            else None
        )
        self._directory = Path(self._scratch.name) if self._scratch else Path(str(directory))
        self._settings = dict(settings or {})
        self._heap = heap
        self._port, self._controller_port = self._ports()
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """The address, "127.0.0.1:port"; the same after a restart."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of the running node.

        Raises:
            KafkaNodeError: The node is not running.
        """
        if self._child is None:
            raise KafkaNodeError("The Kafka node is not running.")
        return self._child.pid

    @property
    def output(self) -> str:
        """The last lines that the running node logged."""
        return "" if self._child is None else self._child.output

    def start(self) -> Self:
        """Start the node and return once it answers; the first time, format its storage.

        Raises:
            KafkaNodeError: Java, Maven or the jars cannot be had, or the node did not start.
        """
        libraries = resolve()
        self._write_properties()
        try:
            if not self._data.exists():
                self._format(libraries)
            options = (f"-Xmx{self._heap}", "-XX:+UseSerialGC")
            child = Child(
                f"Apache Kafka on {self.bootstrap}",
                _java(libraries, "kafka.Kafka", str(self._properties), options=options),
            )
            child.start()
            cluster = _find(r"(?m)^cluster\.id=(\S+)$", self._data / "meta.properties")[0]
            child.wait_until(lambda: answers(self._port, cluster), START_SECONDS)
        except ChildError as error:
            raise _explain(str(error)) from error
        self._child = child
        return self

    def stop(self) -> None:
        """Stop the node in order; its data stays."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS)
            self._child = None

    def kill(self) -> None:
        """Kill the node (SIGKILL), as a loss of power would; its data stays."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self) -> Self:
        """Stop the node if it runs, and start it with the same data at the same address.

        Raises:
            KafkaNodeError: It did not start.
        """
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._scratch:
            self._scratch.cleanup()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    def _ports(self) -> tuple[int, ...]:
        """Return the ports of broker and controller: the folder's if it was used, or free ones."""
        if not self._properties.exists():
            return free_ports(2)
        ports = _find(r"(?m)^listeners=\S+:(\d+),\S+:(\d+)$", self._properties)
        return tuple(int(port) for port in ports)

    def _write_properties(self) -> None:
        """Write the node's `server.properties` into its folder."""
        template = Template((HERE / "server.properties").read_text("utf-8"))
        text = template.substitute(
            port=self._port, controller_port=self._controller_port, data=self._data
        )
        extra = "".join(f"{key}={value}\n" for key, value in self._settings.items())
        self._directory.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(text + extra, "utf-8")

    def _format(self, libraries: Path) -> None:
        """Make the data folder, with a new cluster id."""
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", "--standalone", f"-t={cluster}", "-c", str(self._properties))
        # The compiler that starts fastest: this program is over within a second or two.
        options = ("-XX:TieredStopAtLevel=1",)
        command = _java(libraries, "kafka.tools.StorageTool", *arguments, options=options)
        _run(command, START_SECONDS)


def version() -> str:
    """Return the version of Apache Kafka that `pom.xml` names."""
    return _find(r"<kafka\.version>(.+?)</kafka\.version>", _pom())[0]


def resolve() -> Path:
    """Return the folder of Kafka's jars; the first time, let Maven fetch them into the cache.

    Raises:
        KafkaNodeError: The jars are not there and Maven is missing or could not fetch them.
    """
    if home := os.environ.get(KAFKA_HOME):
        libraries = Path(home) / "libs"
        if not any(libraries.glob("kafka_*.jar")):
            raise KafkaNodeError(f"{KAFKA_HOME} is {home}, and there is no Kafka in {libraries}.")
        return libraries
    home_folder = CHECKOUT / ".cache" / "kafka" / version()
    used = home_folder / "pom.xml"
    if not (used.exists() and used.read_bytes() == _pom().read_bytes()):
        _fetch(home_folder)
    return home_folder / "libs"


def _fetch(home: Path) -> None:
    """Let Maven fetch the jars beside `home`, then put them there at one stroke."""
    maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissingError(_GET_MAVEN)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{home.name}.") as scratch:
        fresh = Path(scratch) / "fresh"
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime")
        output = f"-DoutputDirectory={fresh / 'libs'}"
        print(f"Maven fetches Apache Kafka {version()}, once ...", file=sys.stderr)
        try:
            _run([maven, "-B", "-q", "-f", str(_pom()), *goal, output], _RESOLVE_SECONDS)
        except KafkaNodeError as error:
            raise KafkaNodeError(f"{error}\n{_GET_MAVEN}") from error
        shutil.copy(_pom(), fresh / "pom.xml")
        shutil.rmtree(home, ignore_errors=True)
        try:
            fresh.rename(home)
        except OSError:  # another process was as quick with the same jars
            if not (home / "pom.xml").exists():
                raise


def _pom() -> Path:
    return HERE / "pom.xml"


def _find(pattern: str, path: Path) -> tuple[str, ...]:
    """Return the groups of the first match of `pattern` in a file.

    Raises:
        KafkaNodeError: There is none.
    """
    found = re.search(pattern, path.read_text("utf-8"))
    if found is None:
        raise KafkaNodeError(f"{path} has no {pattern}.")
    return found.groups()


def _java(libraries: Path, main: str, *arguments: str, options: tuple[str, ...]) -> list[str]:
    """Return the command that runs a class of Kafka's.

    Raises:
        ToolMissingError: There is no Java.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        raise ToolMissingError(_GET_JAVA)
    logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    return [java, *options, logging, "-cp", f"{libraries}/*", main, *arguments]


def _run(command: list[str], seconds: float) -> None:
    """Run a program to its end.

    Raises:
        KafkaNodeError: It failed or took longer than `seconds`; the message holds its output.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaNodeError(f"{command[0]} did not end within {seconds:g} s.") from error
    if done.returncode:
        raise _explain(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-4_000:]}")


def _explain(message: str) -> KafkaNodeError:
    """Return the error for a failed Java program, with the mend where the fault is a known one."""
    if "UnsupportedClassVersionError" in message:
        return ToolMissingError(f"{_GET_JAVA}. {message}")
    return KafkaNodeError(message)


def main() -> None:
    """Run one node in the foreground until Ctrl-C, and print its address."""
    parser = argparse.ArgumentParser(description="Run one Apache Kafka node on loopback.")
    parser.add_argument("--directory", type=Path, help="keep its data here (default: nowhere)")
    directory: Path | None = parser.parse_args().directory
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with KafkaNode(directory and directory.resolve()) as node:
            print(node.bootstrap, flush=True)
            ended.wait()
    except KafkaNodeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
