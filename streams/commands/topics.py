"""`tocsin topics`: the table of Kafka topics, and whether the broker has them so."""

from __future__ import annotations

import typer

from streams.commands import base


def register(app: typer.Typer) -> None:
    """Add `tocsin topics`."""
    group = typer.Typer(help="The Kafka topics: list, create, compare.", no_args_is_help=True)
    group.command(
        "list", epilog=base.epilog("tocsin topics list", "tocsin topics list --json | jq .[].topic")
    )(list_)
    group.command(
        "create",
        epilog=base.epilog("TOCSIN_KAFKA_BOOTSTRAP=localhost:9092 tocsin topics create"),
    )(create)
    group.command(
        "diff",
        epilog=base.epilog(
            "tocsin topics diff",
            "tocsin topics diff --json | jq -r .[].mend",
            "It exits with 1 when something must be mended; what a broker does not tell is "
            "shown, but is no fault.",
        ),
    )(diff)
    app.add_typer(group, name="topics")


@base.plain_errors
def list_(ctx: typer.Context, json: base.Json = False) -> None:
    """List the topics as they should be: what each carries, by what key, and for how long."""
    from streams import topics

    rows = topics.listing(base.open_settings(ctx).kafka.prefix)
    if json:
        base.print_json(rows)
    else:
        base.print_table(list(rows[0]), [list(row.values()) for row in rows])


@base.plain_errors
def create(ctx: typer.Context, json: base.Json = False) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    from streams import topics
    from streams.commands import connect

    settings = base.open_settings(ctx)
    with connect.admin(settings) as admin:
        kafka = settings.kafka
        created = topics.create(admin, kafka.prefix, kafka.partitions, kafka.replication)
    if json:
        base.print_json(created)
    elif created:
        for name in created:
            base.say(f"created {name}")
    else:
        base.say("all topics exist; tocsin topics diff tells whether they are as they should be")


@base.plain_errors
def diff(ctx: typer.Context, json: base.Json = False) -> None:
    """Compare the broker's topics with the table, and name the mend of each difference."""
    from streams import topics
    from streams.commands import connect

    settings = base.open_settings(ctx)
    with connect.admin(settings) as admin:
        found = topics.diff(admin, settings.kafka.prefix, settings.kafka.partitions)
    if json:
        base.print_json(found)
    elif found:
        base.print_table(
            ("topic", "fault", "expected", "found", "mend"),
            [(each.topic, each.fault, each.expected, each.found, each.mend) for each in found],
        )
    else:
        base.say("all topics are as they should be")
    if any(each.fault != "not checkable" for each in found):
        raise typer.Exit(base.NOTHING)
