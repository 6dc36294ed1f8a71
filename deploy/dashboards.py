"""Grafana's two boards as code: `python deploy/dashboards.py` writes deploy/grafana/dashboards/.

The analyst board shows units, what is known of them and how well; the operator board shows how the
machinery fares. The JSON is committed, never edited by hand, and a test makes it anew and compares.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, table, text
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.text import TextMode
from panels import (
    SOURCE,
    About,
    AnyPanel,
    Query,
    bars,
    coded,
    column,
    filled,
    mapping,
    series,
    stats,
    tidy,
    timeline,
)

FOLDER: Final = Path(__file__).parent / "grafana" / "dashboards"
WIDTH: Final = 24  # columns of Grafana's grid

# A border or a dyad has both countries in its label ("AFG~PAK"); a group may have none.
_COUNTRY = 'country=~".*($country).*"'
_UNITS = f'kind=~"$kind",{_COUNTRY},unit=~"$unit"'
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


def _unit_table() -> table.Panel:
    about = About(
        "Units",
        "Every unit as of its last score. Instability is the chance of an escalation in the next "
        "fortnight, of provinces and countries. An empty number means unknown, and the data state "
        "says why. Observed and expected are of the strongest signal for a rise: what it counted "
        "in its window, and what that would hold were all as before.",
        "none",
    )
    state = coded("tocsin_unit_data_state", _UNITS + ",", "country, unit", _STATES)
    panel = filled(
        table.Panel(), about,
        Query(f"max by (country, unit) (tocsin_alert_severity_level{{{_UNITS}}})"),
        Query(state),
        Query(f"min by (country, unit) (tocsin_score_p_value_ratio{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_indicator_observed_incidents{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_indicator_expected_incidents{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_unit_coverage_ratio{{{_UNITS}}})"),
        Query(f"max by (country, unit) (tocsin_instability_index{{{_UNITS}}})"),
    )  # fmt: skip
    colored = {"type": "color-background"}
    levels = mapping({0: ("none", "transparent"), **_SEVERITIES})
    column(panel, "Value #A", "Alert", "none", mappings=levels, **{"custom.cellOptions": colored})
    column(
        panel, "Value #B", "Data", "none", mappings=mapping(_STATES),
        **{"custom.cellOptions": colored},
    )  # fmt: skip
    column(panel, "Value #C", "Lowest p-value", "none", decimals=4)
    column(panel, "Value #D", "Observed", "none", decimals=0)
    column(panel, "Value #E", "Expected", "none", decimals=1)
    column(panel, "Value #F", "Coverage", "percentunit", decimals=0)
    column(panel, "Value #G", "Instability", "percentunit", decimals=0)
    panel.no_value("unknown").sort_by(
        [common.TableSortByFieldState().display_name("Alert").desc(True)]
    )
    return tidy(panel, ["country", "unit", *(f"Value #{letter}" for letter in "AGBCDEF")])


def _budget_table() -> table.Panel:
    about = About(
        "Alert budget",
        "False alarms in the trailing year against what the budget allows, by signal, direction "
        "and severity. Thresholds follow from the budget, so a budget overspent tells that the "
        "calibration no longer holds.",
        "none",
    )
    by = "signal, direction, severity"
    panel = filled(
        table.Panel(), about,
        Query(f"max by ({by}) (tocsin_budget_spent_alerts)"),
        Query(f"max by ({by}) (tocsin_budget_allowed_alerts)"),
    )  # fmt: skip
    column(panel, "Value #A", "Spent", "none", decimals=1)
    column(panel, "Value #B", "Allowed", "none", decimals=1)
    return tidy(panel, ["signal", "direction", "severity", "Value #A", "Value #B"])


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


def _variable(
    name: str, label: str, query: str, *, every: str = ".+", chosen: list[str] | None = None
) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).query(query).datasource(SOURCE)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True).include_all(True)
    variable.all_value(every).sort(model.VariableSort.ALPHABETICAL_ASC)
    said, value = (chosen, chosen) if chosen else ("All", "$__all")
    return variable.current(model.VariableOption(selected=True, text=said, value=value))


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
            stats(About("Standing alerts", "Alerts that are open, acknowledged or frozen, in all "
                        "units, by severity.", "none"), standing),
            stats(About("Units by data state", "How many of the chosen units are in each state. "
                        "Dark and learning units have no score.", "none"), states),
        ]),
        (14, [_unit_table()]),
    ]  # fmt: skip


def _index_row() -> tuple[int, list[AnyPanel]]:
    what = (
        "Chance of an escalation in the next fortnight: so many violent incidents as only the "
        "unit's own top decile of fortnights has. Of provinces and countries; "
    )
    index = f"max by (unit) (tocsin_instability_index{{{_UNITS}}})"
    now = bars(
        About("Instability index", what + "a unit that is dark or learning has none.",
              "percentunit"),
        Query(f"sort_desc({index})", "{{unit}}", instant=True),
    ).max(1)  # fmt: skip
    course = series(
        About("Instability index over time", what + "a gap means unknown. Choose few units.",
              "percentunit"),
        Query(index, "{{unit}}"),
    ).min(0).max(1)  # fmt: skip
    return 14, [now, course]


def _course_rows() -> list[tuple[int, list[AnyPanel]]]:
    level = Query(f"max by (unit) (tocsin_alert_severity_level{{{_UNITS}}})", "{{unit}}")
    data = Query(coded("tocsin_unit_data_state", _UNITS + ",", "unit", _STATES), "{{unit}}")
    p_values = f"min by (unit, signal, direction) (tocsin_score_p_value_ratio{{{_UNITS}}})"
    chances = series(
        About("p-values", "Chance of a window at least this unusual were all as before, by "
              "direction, of all signals together (S0) and in provinces and countries of each. A "
              "gap means unknown.", "none"),
        Query(p_values, "{{unit}} {{signal}} {{direction}}"),
    )  # fmt: skip
    logarithmic = common.ScaleDistributionConfig().type(looks.ScaleDistribution.LOG).log(10)
    return [
        (16, [
            timeline(About("Alert severity", "The severity of the standing alert of each unit, "
                            "over all signals. A gap is missing data, not calm.", "none"),
                      {0: ("none", "#E5E5E5"), **_SEVERITIES}, level),
            timeline(About("Data state", "Whether each unit could be scored at all. Alerts of a "
                            "dark unit are frozen: they neither open nor resolve.", "none"),
                      _STATES, data),
        ]),
        _index_row(),
        (9, [
            series(About("Observed and expected", "What the strongest signal for a rise counted "
                          "in its window, and what that would hold were all as before. Choose few "
                          "units.", "none"),
                    Query(f"max by (unit) (tocsin_indicator_observed_incidents{{{_UNITS}}})",
                          "{{unit}} observed"),
                    Query(f"max by (unit) (tocsin_indicator_expected_incidents{{{_UNITS}}})",
                          "{{unit}} expected")),
            series(About("Evidence", "How strongly all signals together speak for a change, in "
                          "nats (natural logarithm of a likelihood ratio), by direction. Alerts "
                          "open on it. A gap means unknown.", "none"),
                    Query(f"max by (unit, direction) (tocsin_evidence_nats{{{_UNITS}}})",
                          "{{unit}} {{direction}}")),
            chances.scale_distribution(logarithmic),
        ]),
    ]  # fmt: skip


def _basis_rows() -> list[tuple[int, list[AnyPanel]]]:
    words = {value: _STATES[value] for value in (1, 2, 4)}
    sources = Query(coded("tocsin_source_state", "", "source", words), "{{source}}")
    return [
        (14, [
            bars(About("Coverage by unit", "Share of the reporting that each unit usually has "
                        "that was seen of late.", "percentunit"),
                  Query(f"sort(max by (unit) (tocsin_unit_coverage_ratio{{{_UNITS}}}))",
                        "{{unit}}", instant=True)),
            bars(About("Coverage by source", "Share of what each source usually carries that was "
                        "seen of late.", "percentunit"),
                  Query("sort(max by (source) (tocsin_source_share_ratio))", "{{source}}",
                        instant=True)),
        ]),
        (9, [
            timeline(About("Source state", "Whether each source carries what it usually does.",
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
    kinds = "label_values(tocsin_unit_data_state, kind)"
    countries = 'label_values(tocsin_unit_data_state{kind="country"}, country)'
    units = f'label_values(tocsin_unit_data_state{{kind=~"$kind",{_COUNTRY}}}, unit)'
    board.with_variable(_variable("kind", "Kind", kinds, chosen=["admin1", "country"]))
    board.with_variable(_variable("country", "Country", countries, every=".*"))
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
            series(About("Reports received", "New reports by source.", "cps"),
                    _rate("tocsin_reports_received_total", "source", "{{source}}")),
            series(About("Reports coded", "What came of the reports; late ones were behind the "
                          "watermark.", "cps"),
                    _rate("tocsin_reports_coded_total", "outcome", "{{outcome}}"),
                    Query(late, "late")),
            series(About("Dead letters", "Records set aside as unreadable in fifteen minutes, by "
                          "reason.", "none"),
                    Query("sum by (reason) (increase(tocsin_dead_letters_total[15m]))",
                          "{{reason}}")),
        ]),
        (8, [
            series(About("Since the source last answered", "Time since each source's last answer, "
                          "with or without news.", "s"), Query(silence, "{{source}}")),
            series(About("Failed polls", "Polls that failed in an hour, by source.", "none"),
                    Query("sum by (source) (increase(tocsin_source_failures_total[1h]))",
                          "{{source}}")),
            series(About("Reporting delay", "From the happening to the report seen, over a day.",
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
            series(About("Stream time behind the clock", "How far each stage's watermark is "
                          "behind. During a replay it is large and shrinks.", "s"),
                    Query(behind, "{{stage}}")),
            series(About("Consumer lag", "Records each stage has still to read.", "short"),
                    Query("sum by (stage) (tocsin_consumer_lag_records)", "{{stage}}")),
            series(About("Age of the last checkpoint", "What a restart would read again.", "s"),
                    Query(age, "{{stage}}")),
        ]),
        (8, [
            series(About("Records processed", "Records each stage reads.", "cps"),
                    _rate("tocsin_records_processed_total", "stage", "{{stage}}")),
            series(About("Batch duration", "Time a stage takes for a batch.", "s"), *batches),
            series(About("Duplicates", "Records each stage knew already, as after a restart.",
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
        series(About("Deliveries", "Attempts to deliver, by channel and how they ended.", "cps"),
                _rate("tocsin_deliveries_total", "sink, status", "{{sink}} {{status}}")),
        series(About("Waiting", "Alert revisions not yet delivered, by channel; and subscriptions "
                      "at which nothing has arrived for a day.", "none"),
                Query("sum by (sink) (tocsin_parcels_waiting)", "{{sink}} waiting"),
                Query("max by (sink) (tocsin_subscriptions_failing)", "{{sink}} dead")),
        series(About("Last delivered", "Time since anything arrived, by channel.", "s"),
                Query("time() - max by (sink) (tocsin_delivered_timestamp_seconds)", "{{sink}}")),
        series(About("Alert revisions", "Revisions written in an hour, by signal and state.",
                      "none"),
                Query("sum by (signal, state) (increase(tocsin_alert_revisions_total[1h]))",
                      "{{signal}} {{state}}")),
        series(About("From report to alert", "Time from the report seen to the alert written, "
                      "over a day.", "s"),
                *_quantiles("tocsin_report_to_alert_seconds", "le", "1d", "")),
    ]  # fmt: skip
    rows: list[tuple[int, list[AnyPanel]]] = [
        (5, [
            stats(About("Workers", "How many workers run, by version.", "none"), version),
            stats(About("Firing alerts", "Alerts that fire now. The watchdog always does; without "
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
