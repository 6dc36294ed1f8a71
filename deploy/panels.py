"""The parts of Grafana boards: a panel of each kind with its words, its unit and its queries."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="prometheus")

P = TypeVar("P", bargauge.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
AnyPanel = (
    bargauge.Panel | stat.Panel | statetimeline.Panel | table.Panel | text.Panel | timeseries.Panel
)


class Query(NamedTuple):
    """A PromQL expression, how its series are called, and whether only its last value counts."""

    expr: str
    legend: str = ""
    instant: bool = False


class About(NamedTuple):
    """What a panel is called, what it tells, and the unit of its values."""

    title: str
    description: str
    unit: str


def filled(panel: P, about: About, *queries: Query) -> P:
    """Give a panel its words, its unit and its queries."""
    panel.title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(SOURCE)
        if isinstance(panel, table.Panel):
            target.instant().format(PromQueryFormat.TABLE)
        elif query.instant:
            target.instant().legend_format(query.legend)
        else:
            target.range().legend_format(query.legend)
        panel.with_target(target)
    return panel


def series(about: About, *queries: Query) -> timeseries.Panel:
    """Return lines over time."""
    legend = common.VizLegendOptions().show_legend(True).placement(looks.LegendPlacement.BOTTOM)
    legend.display_mode(looks.LegendDisplayMode.LIST)
    many = common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI)
    many.sort(looks.SortOrder.DESCENDING)
    # A gap is drawn as a gap: what was not known is not interpolated.
    panel = timeseries.Panel().legend(legend).tooltip(many).span_nulls(False)
    return filled(panel.line_width(2).fill_opacity(5), about, *queries)


def stats(about: About, query: Query) -> stat.Panel:
    """Return the last value of each series, as a number."""
    panel = stat.Panel().text_mode(looks.BigValueTextMode.VALUE_AND_NAME).no_value("no data")
    return filled(panel.color_mode(looks.BigValueColorMode.NONE), about, query)


def bars(about: About, *queries: Query) -> bargauge.Panel:
    """Return the last value of each series, as a bar."""
    panel = bargauge.Panel().orientation(looks.VizOrientation.HORIZONTAL).no_value("no data").min(0)
    panel.display_mode(looks.BarGaugeDisplayMode.BASIC)
    panel.color_scheme(
        dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color("#3274A1")
    )
    return filled(panel, about, *queries)


def mapping(words: dict[int, tuple[str, str]]) -> list[model.ValueMapping]:
    """Return what shows numbers as their word and colour."""
    results = {
        str(value): model.ValueMappingResult(text=word, color=color, index=value)
        for value, (word, color) in words.items()
    }
    return [model.ValueMap(options=results)]


def timeline(about: About, words: dict[int, tuple[str, str]], query: Query) -> statetimeline.Panel:
    """Return states over time, each number by its word and colour."""
    panel = statetimeline.Panel().mappings(mapping(words)).no_value("no data").row_height(0.85)
    panel.show_value(looks.VisibilityMode.NEVER).merge_values(True).per_page(45)
    panel.thresholds(dashboard.ThresholdsConfig().steps([model.Threshold(color="#B7B7B7")]))
    return filled(panel, about, query)


def coded(metric: str, matchers: str, by: str, words: dict[int, tuple[str, str]]) -> str:
    """A one-hot state metric as one number: the key in `words` of the state that is 1."""
    parts = [
        f'{value} * max by ({by}) ({metric}{{{matchers}state="{word}"}})'
        for value, (word, _) in words.items()
    ]
    return " + ".join(parts)


def column(panel: table.Panel, name: str, title: str, unit: str, **more: object) -> None:
    """Give a column of a table its title, its unit and its looks."""
    about = [("displayName", title), ("unit", unit), *more.items()]
    panel.override_by_name(name, [model.DynamicConfigValue(id_val=k, value=v) for k, v in about])


def tidy(panel: table.Panel, order: list[str]) -> table.Panel:
    """Join a table's queries on their labels, and leave out what Grafana adds."""
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    places = {name: place for place, name in enumerate(order)}
    options = {"excludeByName": {"Time": True}, "indexByName": places, "renameByName": {}}
    organize = model.DataTransformerConfig(id_val="organize", options=options)
    return panel.with_transformation(organize).filterable(True)
