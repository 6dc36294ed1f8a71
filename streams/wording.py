"""The words in which an alert is told: one source for webhook, feed, console and command line.

Every number is shown with what it is compared with, an unknown is called unknown, and a
probability is never rounded to certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from detectors.records import Alert, IncidentRef, Severity, Voice
from detectors.world.families import FAMILIES
from detectors.world.units import name_of

#: How the sides are called that a report cites.
VOICES: Final[dict[Voice, str]] = {
    "afg-authorities": "authorities in Afghanistan",
    "pak-authorities": "authorities in Pakistan",
    "foreign-authorities": "authorities of other countries",
    "militant": "armed groups",
    "un": "the United Nations",
    "independent": "residents, doctors or others on no side",
}
#: What every page, feed and message says about what it shows.
DISCLAIMER: Final = (
    "A score is a model's judgement of unusual activity. "
    "Borders and names shown imply no endorsement."
)


def headline(alert: Alert) -> str:
    """Say in one line what the alert is, where, and how far from the usual.

    For example "Warning: rise of violent incidents in Kandahar, 23 against 9.1 expected".
    A state other than open follows the severity: "Warning, resolved: rise of ...".
    """
    state = "" if alert.state == "open" else f", {alert.state}"
    subject = f"{alert.direction} of {_indicator(alert)} in {name_of(alert.unit)}"
    if alert.state in ("resolved", "expired"):  # what is measured by then is no longer the alert
        return f"{alert.severity.capitalize()}{state}: {subject}, opened {alert.opened_at:%d %b %Y}"
    return f"{alert.severity.capitalize()}{state}: {subject}, {_comparison(alert)}"


def summary(alert: Alert) -> str:
    """Say in a few sentences how sure the alert is, of what, and what it is based on.

    It names the window, the claim with its probability, base rate and horizon, when and how the
    claim is settled, the coverage, the number of incidents and of independent publishers, and,
    once it is known, the outcome.
    """
    claim = alert.claim
    rate = f"{percent(claim.probability)} within {_days(claim.horizon_days)}"
    sentences = [
        f"{_capital(_comparison(alert))}{_window(alert)}.",
        f"Claim: {_sentence(claim.statement)}",
        f"Probability {rate}, against {percent(claim.base_rate)} without the signal.",
        resolver(alert),
        f"Coverage {alert.coverage}: {percent(alert.coverage_share)} of the usual reports.",
        f"Evidence: {evidence(alert)}.",
    ]
    if alert.outcome:
        sentences.append(f"Outcome {alert.outcome.verdict}: {_sentence(alert.outcome.reason)}")
    return " ".join(sentences)


def details(alert: Alert) -> str:
    """Tell the whole alert in plain text, a line for each incident, ending in the disclaimer."""
    told = paragraphs(alert)
    if alert.evidence:
        told.append("\n".join(f"- {each}" for each in incidents(alert)))
    return "\n\n".join([*told, DISCLAIMER])


def paragraphs(alert: Alert) -> list[str]:
    """Tell an alert in paragraphs, without its incidents and the disclaimer."""
    told = [summary(alert)]
    told += [f"Changed: {_sentence(alert.changed)}"] if alert.changed else []
    told += [f"Reason: {_sentence(alert.reason)}"] if alert.reason else []
    told += [f"Note: {_sentence(alert.note)}"] if alert.note else []
    return told


def incidents(alert: Alert) -> list[str]:
    """Tell each incident of an alert in a line: day, place, killed, and who says so."""
    return [_incident(each) for each in alert.evidence]


def subject(alert: Alert) -> str:
    """Say in a few words how grave an alert is and where, for the subject of a mail.

    For example "Warning, Kandahar: rise of violent incidents"; a state other than open follows
    the severity.
    """
    state = "" if alert.state == "open" else f", {alert.state}"
    about = f"{alert.direction} of {_indicator(alert)}"
    return f"{alert.severity.capitalize()}{state}, {name_of(alert.unit)}: {about}"


def digest_subject(alerts: Sequence[Alert]) -> str:
    """Say in a few words how grave the gravest of some alerts is, where they are, and how many.

    For example "Critical, Kandahar, Helmand and 2 more places: 5 alerts". Places follow the order
    of the alerts.
    """
    if not alerts:
        return "No alerts"
    ranks = get_args(Severity)
    gravest = max((each.severity for each in alerts), key=ranks.index)
    places = list(dict.fromkeys(name_of(each.unit) for each in alerts))
    left_out = len(places) - 2
    more = f" and {_plural(left_out, 'more place')}" if left_out > 0 else ""
    return f"{gravest.capitalize()}, {', '.join(places[:2])}{more}: {_plural(len(alerts), 'alert')}"


def resolver(alert: Alert) -> str:
    """Say how, and when, the alert's claim is settled."""
    rule = alert.claim.resolver
    comparison = rule.comparison.replace("_", " ")
    return (
        f"Settled on {rule.settle_at.date()} by counting {_indicator(alert)} in "
        f"{name_of(rule.unit)} from {rule.first_day} to {rule.last_day}: "
        f"true if {comparison} {rule.count}."
    )


def evidence(alert: Alert) -> str:
    """Count the incidents an alert rests on, and who reported them independently."""
    publishers = {each for incident in alert.evidence for each in incident.publishers}
    return f"{_plural(len(alert.evidence), 'incident')} from " + _plural(
        len(publishers), "independent publisher"
    )


def percent(share: float) -> str:
    """Write a share as a percentage that never claims certainty it does not have.

    >>> percent(0.342), percent(0.004), percent(0.0), percent(0.999), percent(1.0)
    ('34%', 'under 1%', '0%', 'over 99%', '100%')
    """
    if 0.0 < share < 0.01:
        return "under 1%"
    if 0.99 < share < 1.0:
        return "over 99%"
    return f"{100 * share:.0f}%"


def number(value: float) -> str:
    """Write an expected count so that a small one is not shown as zero.

    >>> number(9.14), number(0.04), number(0.0), number(1234.5)
    ('9.1', '0.04', '0', '1234')
    """
    if value == 0:
        return "0"
    if abs(value) < 0.1:
        return f"{value:.1g}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _indicator(alert: Alert) -> str:
    return alert.claim.resolver.indicator.replace("_", " ")


def _comparison(alert: Alert) -> str:
    seen = "count unknown" if alert.observed is None else str(alert.observed)
    usual = "expected count unknown" if alert.expected is None else _expected(alert.expected)
    return f"{seen} against {usual}" if alert.observed is not None else f"{seen}, {usual}"


def _expected(expected: float) -> str:
    return f"{number(expected)} expected"


def _window(alert: Alert) -> str:
    return "" if alert.window_days is None else f" in {_days(alert.window_days)}"


def publisher(family: str) -> str:
    """Return the name of a publisher family, or the id itself where no registry has it."""
    known = FAMILIES.get(family)
    return known.name if known else family


def sides(incident: IncidentRef) -> str:
    """Say which sides are cited for an incident, "" where none was read."""
    return ", ".join(VOICES[voice] for voice in incident.voices)


def _incident(incident: IncidentRef) -> str:
    killed = incident.killed
    toll = "killed unknown" if killed is None else f"killed {_range(killed.low, killed.high)}"
    told = f"reported by {', '.join(map(publisher, incident.publishers))}"
    cited = f", citing {sides(incident)}" if incident.voices else ""
    return f"{incident.day} {incident.place}: {toll}; {told}{cited}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _days(count: int) -> str:
    return _plural(count, "day")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
