"""One unit and direction in the alert stage: its score, its episode of evidence, its alert.

An episode begins when evidence that may open an alert is told, and is over when there has been next
to none for some days. It opens one alert at most, and the governor learns how high it peaked.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from detectors.budget import QUIET, Governor
from detectors.records import Alert, Direction, Score
from detectors.timegrid import DAY


class Track(Struct):
    """What is remembered of a unit and direction. Times in seconds."""

    score: Score
    alert: Alert | None = None
    quiet_since: int | None = None
    lower_since: int | None = None
    stratum: str = ""  # that of the unit when the episode began; "" while there is none
    peak: float = 0.0  # of the episode, nats
    opened: str | None = None  # the alert that the episode opened

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

    def end_episode(self, governors: Mapping[Direction, Governor]) -> None:
        """Enter an episode that is over with the governor."""
        if self.stratum:
            governors[self.score.direction].end(self.stratum, self.peak)
        self.stratum, self.peak, self.opened = "", 0.0, None
