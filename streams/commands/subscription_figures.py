"""The figures that `tocsin backtest --json FILE` wrote, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from streams.commands.base import Problem

if TYPE_CHECKING:
    from streams.backtest.report import Backtest


def read(path: Path) -> Backtest:
    """Return a backtest's figures.

    Raises:
        Problem: The file cannot be read, or is no such file of this version.
    """
    from streams.backtest.report import Backtest

    try:
        return msgspec.json.decode(path.read_bytes(), type=Backtest)
    except OSError as error:
        raise Problem(f"--backtest {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise Problem(
            f"--backtest {path} is not what tocsin backtest --json wrote ({error})"
        ) from error
