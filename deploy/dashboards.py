"""Grafana's two boards as code: `python deploy/dashboards.py` writes deploy/grafana/dashboards/.

The analyst board shows units, what is known of them and how well; the operator board shows how the
machinery fares. The JSON is committed, never edited by hand, and a test makes it anew and compares.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
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
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

FOLDER: Final = Path(__file__).parent / "grafana" / "dashboards"
SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="prometheus")
WIDTH: Final = 24  # columns of Grafana's grid

P = TypeVar("P", bargauge.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
AnyPanel = (
    bargauge.Panel | stat.Panel | statetimeline.Panel | table.Panel | text.Panel | timeseries.Panel
)

_UNITS = 'country=~"$country",unit=~"$unit"'
# Colours that differ for colour-blind readers too; every value also has a word.
_SEVERITIES = {1: ("watch", "#F2CC0C"), 2: ("warning", "#FF780A"), 3: ("critical", "#8F3BB8")}
_STATES = {
    1: ("ok", "#3274A1"), 2: ("thin", "#8AB8FF"), 3: ("learning", "#B7B7B7"),
    4: ("dark", "#222222"),
}  # fmt: skip
_NOTE = """\
A score is **a model's judgement of unusual activity**, not a fact about a place. *Dark* means \
that too little is heard to say anything: it is not calm. Reports that come late change what is \
counted for days past, and Prometheus cannot rewrite its history: this board shows **what was \
known at each moment**. The record, with the evidence of every alert, is the topic \
`tocsin.alerts.v1` (`tocsin explain ALERT`). Units and their names imply no endorsement of any \
border."""


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


def _fill(panel: P, about: About, *queries: Query) -> P:
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


def _series(about: About, *queries: Query) -> timeseries.Panel:
    legend = common.VizLegendOptions().show_legend(True).placement(looks.LegendPlacement.BOTTOM)
    legend.display_mode(looks.LegendDisplayMode.LIST)
    many = common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI)
    many.sort(looks.SortOrder.DESCENDING)
    # A gap is drawn as a gap: what was not known is not interpolated.
    panel = timeseries.Panel().legend(legend).tooltip(many).span_nulls(False)
    return _fill(panel.line_width(2).fill_opacity(5), about, *queries)


def _stat(about: About, query: Query) -> stat.Panel:
    panel = stat.Panel().text_mode(looks.BigValueTextMode.VALUE_AND_NAME).no_value("no data")
    return _fill(panel.color_mode(looks.BigValueColorMode.NONE), about, query)


def _bars(about: About, *queries: Query) -> bargauge.Panel:
    panel = bargauge.Panel().orientation(looks.VizOrientation.HORIZONTAL).no_value("no data").min(0)
    panel.display_mode(looks.BarGaugeDisplayMode.BASIC)
    panel.color_scheme(
        dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color("#3274A1")
    )
    return _fill(panel, about, *queries)


def _mapping(words: dict[int, tuple[str, str]]) -> list[model.ValueMapping]:
    results = {
        str(value): model.ValueMappingResult(text=word, color=color, index=value)
        for value, (word, color) in words.items()
    }
    return [model.ValueMap(options=results)]


def _timeline(about: About, words: dict[int, tuple[str, str]], query: Query) -> statetimeline.Panel:
    panel = statetimeline.Panel().mappings(_mapping(words)).no_value("no data").row_height(0.85)
    panel.show_value(looks.VisibilityMode.NEVER).merge_values(True).per_page(45)
    panel.thresholds(dashboard.ThresholdsConfig().steps([model.Threshold(color="#B7B7B7")]))
    return _fill(panel, about, query)


def _coded(metric: str, matchers: str, by: str, words: dict[int, tuple[str, str]]) -> str:
    """A one-hot state metric as one number: the key in `words` of the state that is 1."""
    parts = [
        f'{value} * max by ({by}) ({metric}{{{matchers}state="{word}"}})'
        for value, (word, _) in words.items()
    ]
    return " + ".join(parts)


def _column(panel: table.Panel, name: str, title: str, unit: str, **more: object) -> None:
    about = [("displayName", title), ("unit", unit), *more.items()]
    panel.override_by_name(name, [model.DynamicConfigValue(id_val=k, value=v) for k, v in about])


def _tidy(panel: table.Panel, order: list[str]) -> table.Panel:
    """Join a table's queries on their labels, and leave out what Grafana adds."""
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    places = {name: place for place, name in enumerate(order)}
    options = {"excludeByName": {"Time": True}, "indexByName": places, "renameByName": {}}
    organize = model.DataTransformerConfig(id_val="organize", options=options)
    return panel.with_transformation(organize).filterable(True)


def _unit_table() -> table.Panel:
    about = About(
        "Units",
        "Every unit as of its last score. An empty p-value, observed or expected number means "
        "unknown, and the data state says why. Expected is what the window would hold were all as "
        "before.",
        "none",
    )
    state = _coded("tocsin_unit_data_state", _UNITS + ",", "country, unit", _STATES)
    panel = _fill(
        table.Panel(), about,
        Query(f"max by (country, unit) (tocsin_alert_severity_level{{{_UNITS}}})"),
        Query(state),
        Query(f"min by (country, unit) (tocsin_score_p_value_ratio{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_indicator_observed_incidents{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_indicator_expected_incidents{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_unit_coverage_ratio{{{_UNITS}}})"),
    )  # fmt: skip
    colored = {"type": "color-background"}
    levels = _mapping({0: ("none", "transparent"), **_SEVERITIES})
    _column(panel, "Value #A", "Alert", "none", mappings=levels, **{"custom.cellOptions": colored})
    _column(
        panel, "Value #B", "Data", "none", mappings=_mapping(_STATES),
        **{"custom.cellOptions": colored},
    )  # fmt: skip
    _column(panel, "Value #C", "Lowest p-value", "none", decimals=4)
    _column(panel, "Value #D", "Observed", "none", decimals=0)
    _column(panel, "Value #E", "Expected", "none", decimals=1)
    _column(panel, "Value #F", "Coverage", "percentunit", decimals=0)
    panel.no_value("unknown").sort_by(
        [common.TableSortByFieldState().display_name("Alert").desc(True)]
    )
    return _tidy(panel, ["country", "unit", *(f"Value #{letter}" for letter in "ABCDEF")])


def _budget_table() -> table.Panel:
    about = About(
        "Alert budget",
        "False alarms in the trailing year against what the budget allows, by signal, direction "
        "and severity. Thresholds follow from the budget, so a budget overspent tells that the "
        "calibration no longer holds.",
        "none",
    )
    by = "signal, direction, severity"
    panel = _fill(
        table.Panel(), about,
        Query(f"max by ({by}) (tocsin_budget_spent_alerts)"),
        Query(f"max by ({by}) (tocsin_budget_allowed_alerts)"),
    )  # fmt: skip
    _column(panel, "Value #A", "Spent", "none", decimals=1)
    _column(panel, "Value #B", "Allowed", "none", decimals=1)
    return _tidy(panel, ["signal", "direction", "severity", "Value #A", "Value #B"])


def _place(board: dashboard.Dashboard, rows: list[tuple[int, list[AnyPanel]]]) -> None:
    """Lay panels out in rows of one height each, of equal width, and number them."""
    number, top = 1, 0
    for height, panels in rows:
        width = WIDTH // len(panels)
        for place, panel in enumerate(panels):
            where = model.GridPos(h=height, w=width, x=place * width, y=top)
            board.with_panel(panel.id(number).grid_pos(where))
            number += 1
        top += height


def _variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).query(query).datasource(SOURCE)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True).include_all(True)
    variable.all_value(".+").sort(model.VariableSort.ALPHABETICAL_ASC)
    return variable.current(model.VariableOption(selected=True, text="All", value="$__all"))


def _board(uid: str, title: str, description: str, since: str) -> dashboard.Dashboard:
    board = dashboard.Dashboard(title).uid(uid).description(description).tags(["tocsin"])
    board.time(since, "now").refresh("1m").timezone("utc").readonly()
    board.tooltip(model.DashboardCursorSync.CROSSHAIR)
    link = dashboard.DashboardLink("Tocsin").type(model.DashboardLinkType.DASHBOARDS)
    return board.link(link.tags(["tocsin"]).as_dropdown(True).keep_time(True))


def _now_rows() -> list[tuple[int, list[AnyPanel]]]:
    note = text.Panel().title("How to read this board").description("What a score is and is not.")
    standing = Query(
        "sum by (severity) (max by (severity, state) "
        '(tocsin_alerts{state=~"open|acknowledged|frozen"}))', "{{severity}}", instant=True,
    )  # fmt: skip
    states = Query(
        f"sum by (state) (max by (country, unit, state) (tocsin_unit_data_state{{{_UNITS}}}))",
        "{{state}}", instant=True,
    )  # fmt: skip
    return [
        (4, [note.mode(TextMode.MARKDOWN).content(_NOTE).transparent(True)]),
        (4, [
            _stat(About("Standing alerts", "Alerts that are open, acknowledged or frozen, in all "
                        "units, by severity.", "none"), standing),
            _stat(About("Units by data state", "How many of the chosen units are in each state. "
                        "Dark and learning units have no score.", "none"), states),
        ]),
        (14, [_unit_table()]),
    ]  # fmt: skip


def _course_rows() -> list[tuple[int, list[AnyPanel]]]:
    level = Query(f"max by (unit) (tocsin_alert_severity_level{{{_UNITS}}})", "{{unit}}")
    data = Query(_coded("tocsin_unit_data_state", _UNITS + ",", "unit", _STATES), "{{unit}}")
    p_values = f"min by (unit, signal, direction) (tocsin_score_p_value_ratio{{{_UNITS}}})"
    chances = _series(
        About("p-values", "Chance of a window at least this unusual were all as before, by signal "
              "and direction. A gap means unknown.", "none"),
        Query(p_values, "{{unit}} {{signal}} {{direction}}"),
    )  # fmt: skip
    logarithmic = common.ScaleDistributionConfig().type(looks.ScaleDistribution.LOG).log(10)
    return [
        (16, [
            _timeline(About("Alert severity", "The severity of the standing alert of each unit, "
                            "over all signals. A gap is missing data, not calm.", "none"),
                      {0: ("none", "#E5E5E5"), **_SEVERITIES}, level),
            _timeline(About("Data state", "Whether each unit could be scored at all. Alerts of a "
                            "dark unit are frozen: they neither open nor resolve.", "none"),
                      _STATES, data),
        ]),
        (9, [
            _series(About("Observed and expected incidents", "Violent incidents in the last "
                          "score's window, and what it would hold were all as before. Choose few "
                          "units.", "none"),
                    Query(f"max by (unit) (tocsin_indicator_observed_incidents{{{_UNITS}}})",
                          "{{unit}} observed"),
                    Query(f"max by (unit) (tocsin_indicator_expected_incidents{{{_UNITS}}})",
                          "{{unit}} expected")),
            chances.scale_distribution(logarithmic),
        ]),
    ]  # fmt: skip


def _basis_rows() -> list[tuple[int, list[AnyPanel]]]:
    words = {value: _STATES[value] for value in (1, 2, 4)}
    sources = Query(_coded("tocsin_source_state", "", "source", words), "{{source}}")
    return [
        (14, [
            _bars(About("Coverage by unit", "Share of the reporting that each unit usually has "
                        "that was seen of late.", "percentunit"),
                  Query(f"sort(max by (unit) (tocsin_unit_coverage_ratio{{{_UNITS}}}))",
                        "{{unit}}", instant=True)),
            _bars(About("Coverage by source", "Share of what each source usually carries that was "
                        "seen of late.", "percentunit"),
                  Query("sort(max by (source) (tocsin_source_share_ratio))", "{{source}}",
                        instant=True)),
        ]),
        (9, [
            _timeline(About("Source state", "Whether each source carries what it usually does.",
                            "none"), words, sources),
            _budget_table(),
        ]),
    ]  # fmt: skip


def analyst_board() -> dashboard.Dashboard:
    """The board of those who read the warnings: what changed, where, and how well it is known."""
    board = _board(
        "tocsin-analyst", "Tocsin: analyst",
        "Unusual activity by unit, with what it rests on: coverage, expectation, alert budget.",
        "now-30d",
    )  # fmt: skip
    countries = "label_values(tocsin_unit_data_state, country)"
    units = 'label_values(tocsin_unit_data_state{country=~"$country"}, unit)'
    board.with_variable(_variable("country", "Country", countries))
    board.with_variable(_variable("unit", "Unit", units))
    _place(board, [*_now_rows(), *_course_rows(), *_basis_rows()])
    return board


def _quantiles(metric: str, by: str, window: str, legend: str) -> tuple[Query, ...]:
    buckets = f"sum by ({by}) (rate({metric}_bucket[{window}]))"
    return tuple(
        Query(f"histogram_quantile({quantile}, {buckets})", f"{legend}{name}")
        for quantile, name in ((0.5, "median"), (0.95, "95th percentile"))
    )


def _rate(metric: str, by: str, legend: str) -> Query:
    return Query(f"sum by ({by}) (rate({metric}[$__rate_interval]))", legend)


def _flow_rows() -> list[tuple[int, list[AnyPanel]]]:
    late = "sum(rate(tocsin_reports_late_total[$__rate_interval]))"
    silence = "time() - max by (source) (tocsin_source_last_success_timestamp_seconds)"
    delays = _quantiles("tocsin_report_delay_seconds", "le", "1d", "")
    return [
        (8, [
            _series(About("Reports received", "New reports by source.", "cps"),
                    _rate("tocsin_reports_received_total", "source", "{{source}}")),
            _series(About("Reports coded", "What came of the reports; late ones were behind the "
                          "watermark.", "cps"),
                    _rate("tocsin_reports_coded_total", "outcome", "{{outcome}}"),
                    Query(late, "late")),
            _series(About("Dead letters", "Records set aside as unreadable in fifteen minutes, by "
                          "reason.", "none"),
                    Query("sum by (reason) (increase(tocsin_dead_letters_total[15m]))",
                          "{{reason}}")),
        ]),
        (8, [
            _series(About("Since the source last answered", "Time since each source's last answer, "
                          "with or without news.", "s"), Query(silence, "{{source}}")),
            _series(About("Failed polls", "Polls that failed in an hour, by source.", "none"),
                    Query("sum by (source) (increase(tocsin_source_failures_total[1h]))",
                          "{{source}}")),
            _series(About("Reporting delay", "From the happening to the report seen, over a day.",
                          "s"), *delays),
        ]),
    ]  # fmt: skip


def _stage_rows() -> list[tuple[int, list[AnyPanel]]]:
    behind = "time() - min by (stage) (tocsin_stream_time_timestamp_seconds)"
    age = "time() - min by (stage) (tocsin_checkpoint_timestamp_seconds)"
    batches = _quantiles("tocsin_batch_duration_seconds", "stage, le", "$__rate_interval",
                         "{{stage}} ")  # fmt: skip
    return [
        (8, [
            _series(About("Stream time behind the clock", "How far each stage's watermark is "
                          "behind. During a replay it is large and shrinks.", "s"),
                    Query(behind, "{{stage}}")),
            _series(About("Consumer lag", "Records each stage has still to read.", "short"),
                    Query("sum by (stage) (tocsin_consumer_lag_records)", "{{stage}}")),
            _series(About("Age of the last checkpoint", "What a restart would read again.", "s"),
                    Query(age, "{{stage}}")),
        ]),
        (8, [
            _series(About("Records processed", "Records each stage reads.", "cps"),
                    _rate("tocsin_records_processed_total", "stage", "{{stage}}")),
            _series(About("Batch duration", "Time a stage takes for a batch.", "s"), *batches),
            _series(About("Duplicates", "Records each stage knew already, as after a restart.",
                          "cps"), _rate("tocsin_duplicates_total", "stage", "{{stage}}")),
        ]),
    ]  # fmt: skip


def operator_board() -> dashboard.Dashboard:
    """The board of those who run Tocsin: what comes in, how the stages fare, what goes out."""
    board = _board(
        "tocsin-operator", "Tocsin: operator",
        "How the machinery fares: sources, stages, dead letters, deliveries.", "now-6h",
    )  # fmt: skip
    version = Query("count by (version, python) (tocsin_build_info)",
                    "{{version}} on Python {{python}}", instant=True)  # fmt: skip
    firing = Query('sum by (alertname) (ALERTS{alertname=~"Tocsin.*",alertstate="firing"})',
                   "{{alertname}}", instant=True)  # fmt: skip
    outgoing: list[AnyPanel] = [
        _series(About("Deliveries", "Attempts to deliver, by channel and how they ended.", "cps"),
                _rate("tocsin_deliveries_total", "sink, status", "{{sink}} {{status}}")),
        _series(About("Alert revisions", "Revisions written in an hour, by signal and state.",
                      "none"),
                Query("sum by (signal, state) (increase(tocsin_alert_revisions_total[1h]))",
                      "{{signal}} {{state}}")),
        _series(About("From report to alert", "Time from the report seen to the alert written, "
                      "over a day.", "s"),
                *_quantiles("tocsin_report_to_alert_seconds", "le", "1d", "")),
    ]  # fmt: skip
    rows: list[tuple[int, list[AnyPanel]]] = [
        (5, [
            _stat(About("Workers", "How many workers run, by version.", "none"), version),
            _stat(About("Firing alerts", "Alerts that fire now. The watchdog always does; without "
                        "it, alerting is broken.", "none"), firing),
        ]),
        *_flow_rows(),
        *_stage_rows(),
        (8, outgoing),
    ]  # fmt: skip
    _place(board, rows)
    return board


def render() -> dict[str, str]:
    """Return the boards' JSON by file name, the same bytes each time."""
    boards = (analyst_board(), operator_board())
    made = {}
    for board in (each.build() for each in boards):
        encoded = JSONEncoder(sort_keys=True, indent=2).encode(board)
        made[f"{board.uid}.json"] = encoded + "\n"
    return made


def main() -> int:
    """Write the boards, or with `--check` say whether the committed ones are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 on a difference"
    )
    check = parser.parse_args().check
    stale = []
    for name, content in render().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not check:
                FOLDER.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
    for name in stale:
        sys.stdout.write(f"{'differs' if check else 'written'}: {name}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
