"""The commands of `tocsin`, one file each, and the list of them.

Each file has `register(app)`. What reaches for the broker, the settings or a plot imports it when
it is called: `tocsin --help` answers without loading clients for Kafka and libraries for plots.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import typer

from streams.commands import (
    alerts,
    backtest,
    code,
    dead_letters,
    demo,
    explain,
    ledger,
    replay,
    run,
    scenario,
    schema,
    settings,
    signals,
    simulate,
    status,
    subscriptions,
    topics,
    train,
    world,
)

#: Every command, in the order in which the help lists them.
REGISTER: Final[tuple[Callable[[typer.Typer], None], ...]] = tuple(
    module.register
    for module in (
        demo,
        run,
        replay,
        status,
        alerts,
        explain,
        subscriptions,
        ledger,
        backtest,
        train,
        code,
        topics,
        dead_letters,
        signals,
        world,
        scenario,
        simulate,
        schema,
        settings,
    )
)
