"""The signals: one file each, and this registry."""

from typing import Final

from detectors.signals.base import Observation, Signal
from detectors.signals.coverage_integrity import CoverageIntegrity
from detectors.signals.violence_surge import ViolenceSurge

__all__ = ["SIGNALS", "Observation", "Signal"]

#: Every signal by its name, in the order in which a step computes them.
SIGNALS: Final[dict[str, Signal]] = {
    signal.name: signal for signal in (ViolenceSurge(), CoverageIntegrity())
}
