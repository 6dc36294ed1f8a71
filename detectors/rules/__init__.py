"""The baselines that Tocsin is measured against: one file for each family, and this registry."""

from typing import Final

from detectors.rules.base import Known, Rule
from detectors.rules.cusum import NegativeBinomialCusum
from detectors.rules.ears import EarsC1, EarsC2, EarsC3
from detectors.rules.ewma import Ewma
from detectors.rules.farrington import Farrington
from detectors.rules.naive import Climatology, NoChange
from detectors.rules.record import HdxThreeYears, HdxYear
from detectors.rules.surge import AcledSurge

__all__ = ["RULES", "Known", "Rule"]

_ALL: Final[tuple[Rule, ...]] = (
    NoChange(),
    Climatology(),
    AcledSurge(),
    HdxYear(),
    HdxThreeYears(),
    EarsC1(),
    EarsC2(),
    EarsC3(),
    Ewma(),
    NegativeBinomialCusum(),
    Farrington(),
)
#: Every rule by its name, in the order in which tables show them.
RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in _ALL}
