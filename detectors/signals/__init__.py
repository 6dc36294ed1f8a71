"""The signals: one file each, and this registry."""

from typing import Final

from detectors.signals.base import Observation, Signal, applies
from detectors.signals.border_friction import BorderFriction
from detectors.signals.claims_gap import ClaimsGap
from detectors.signals.coercion import Coercion
from detectors.signals.cohesion import RegimeCohesion
from detectors.signals.commitment_breach import CommitmentBreach
from detectors.signals.complicity import Complicity
from detectors.signals.coupling import CrossBorderCoupling
from detectors.signals.coverage_integrity import CoverageIntegrity
from detectors.signals.diplomacy import Diplomacy
from detectors.signals.mass_casualty import MassCasualty
from detectors.signals.mode_convergence import ModeConvergence
from detectors.signals.sanctions import SanctionsPulse
from detectors.signals.sanctuary import SanctuaryPressure
from detectors.signals.solidarity import Solidarity
from detectors.signals.strikes import Strikes
from detectors.signals.tempo import CommunicationTempo
from detectors.signals.violence_surge import ViolenceSurge
from detectors.signals.warning_gap import WarningGap

__all__ = ["ALWAYS", "INDICATORS", "SIGNALS", "Observation", "Signal", "applies"]

#: Every signal by its name, in the order in which a step computes them.
SIGNALS: Final[dict[str, Signal]] = {
    signal.name: signal
    for signal in (
        ViolenceSurge(),
        MassCasualty(),
        ModeConvergence(),
        CrossBorderCoupling(),
        BorderFriction(),
        SanctuaryPressure(),
        Solidarity(),
        ClaimsGap(),
        RegimeCohesion(),
        Coercion(),
        CommitmentBreach(),
        Complicity(),
        SanctionsPulse(),
        Strikes(),
        Diplomacy(),
        CommunicationTempo(),
        CoverageIntegrity(),
        WarningGap(),
    )
}

#: Those that speak also of a unit where nothing has been told of what they count.
ALWAYS: Final = frozenset(("S1",))

#: What can be counted by days, and claimed.
INDICATORS: Final = frozenset(signal.indicator for signal in SIGNALS.values() if signal.indicator)
