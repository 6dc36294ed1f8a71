"""One unit and direction in the alert stage: its score, its episode of evidence, its alert.

An episode begins when evidence that may open an alert is told, and is over when there has been next
to none for some days. It opens one alert at most, unless an analyst takes that back and the
evidence then becomes graver. The governor learns how high an episode peaked.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from detectors.budget import QUIET, SEVERITIES, Governor
from detectors.records import Alert, Direction, Score, Severity
from detectors.timegrid import DAY


class Track(Struct):
    """What is remembered of a unit and direction. Times in seconds."""

    score: Score
    alert: str | None = None  # the id of the one that lives
    quiet_since: int | None = None
    lower_since: int | None = None
    stratum: str = ""  # that of the unit when the episode began; "" while there is none
    peak: float = 0.0  # of the episode, nats
    opened: bool = False  # whether the episode has opened its alert
    retracted: Severity | None = None  # the severity of its alert, if an analyst took it back

    def follow(self, score: Score, strength: float, quiet: float, end: int) -> None:
        """Follow an episode of evidence: its beginning, its peak, since when it is quiet.

        Args:
            score: The score of the step.
            strength: That of the evidence which may open an alert, nats.
            quiet: The strength below which the unit is as usual.
            end: The end of the step.
        """
        if score.strength is None or score.coverage != "ok":
            self.quiet_since = None  # unseen days are no quiet days
            return
        if strength >= QUIET and not self.stratum:
            self.stratum = score.stratum
        self.peak = max(self.peak, strength)
        if score.strength >= quiet:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = end

    def quiet_for(self, end: int, days: float) -> bool:
        """Return whether the unit has been as usual for so many days at `end`."""
        return self.quiet_since is not None and end - self.quiet_since >= days * DAY

    def may_open(self, severity: Severity) -> bool:
        """Return whether evidence of this severity may open an alert.

        After a retraction only what is graver may: that goes before any quiet period.
        """
        if not self.opened:
            return True
        taken_back = self.retracted
        return taken_back is not None and is_graver(severity, taken_back)

    def watch_lower(self, alert: Alert, severity: Severity | None, end: int) -> None:
        """Note since when the evidence has been below its alert's severity."""
        if severity is not None and not is_graver(alert.severity, severity):
            self.lower_since = None
        elif self.lower_since is None:
            self.lower_since = end

    def end_episode(self, governors: Mapping[Direction, Governor]) -> None:
        """Enter an episode that is over with the governor."""
        if self.stratum:
            governors[self.score.direction].end(self.stratum, self.peak)
        self.stratum, self.peak, self.opened, self.retracted = "", 0.0, False, None


def is_graver(one: Severity, other: Severity) -> bool:
    """Return whether one severity is above the other."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)
