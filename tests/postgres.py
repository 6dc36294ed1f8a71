"""A real PostgreSQL server for tests: a new cluster in a temporary folder, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

HOW = "the tests need PostgreSQL's programs: apt-get install -y postgresql (Debian, Ubuntu)"
_DATABASE = count(1)


def _programs() -> Path:
    found = [Path(initdb).parent] if (initdb := shutil.which("initdb")) else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    usable = [each for each in found if (each / "pg_ctl").exists()]
    if not usable:
        pytest.fail(HOW, pytrace=False)
    return usable[0]


def _as_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then its packaged user runs it."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.fail(f"{HOW}; as root they also need its user `postgres`", pytrace=False)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: list[str], folder: Path) -> None:
    # Output goes to a file: the server inherits it, and a pipe would never close.
    log = folder.with_suffix(".log")
    with log.open("ab") as out:
        done = subprocess.run(command, cwd="/", stdout=out, stderr=out, check=False, timeout=60)
    if done.returncode:
        pytest.fail(f"PostgreSQL: {' '.join(command)}\n{log.read_text()}", pytrace=False)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Start a server for the session and give the URL of its database `postgres`."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="tocsin-postgresql-"))
    user = _as_user(folder)
    data, port = folder / "data", _free_port()
    initdb = ["-D", str(data), "-U", "tocsin", "-A", "trust", "-E", "UTF8", "--no-sync"]
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    control = [*user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    try:
        _run([*user, str(programs / "initdb"), *initdb], folder)
        _run([*control, "-o", options, "start"], folder)
        try:
            yield f"postgresql://tocsin@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".log").unlink(missing_ok=True)


def new_database(server: str) -> str:
    """Create an empty database and return its URL."""
    try:
        import psycopg
    except ModuleNotFoundError:
        pytest.fail("the tests need PostgreSQL's driver: psycopg[binary]", pytrace=False)
    name = f"store_{next(_DATABASE)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.removesuffix("postgres") + name
