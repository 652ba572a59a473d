"""Who gets what share from when on: the allocation of a phase and what may follow it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.design.schemas import WEIGHT_TOLERANCE, PhaseIn
from experiments.errors import InvalidError


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The share of visitors who take part, and the weight of each active variant."""

    coverage: float
    weights: Mapping[str, float]

    def changed(self, data: PhaseIn) -> "Allocation":
        """This allocation with what `data` changes.

        Raises:
            InvalidError: when the coverage shrinks, a weight is unfit, or nothing changes.
        """
        coverage = self.coverage if data.coverage is None else data.coverage
        weights = self.weights if data.weights is None else data.weights
        if coverage < self.coverage:
            # Visitors who drop out of the coverage would be lost to the analysis.
            detail = f"is {self.coverage:g} now and can only grow; pause the experiment instead"
            raise InvalidError.at("/coverage", detail)
        if weights.keys() != self.weights.keys():
            active = ", ".join(sorted(self.weights))  # JSONB forgets the order
            raise InvalidError.at("/weights", f"must name exactly the active variants: {active}")
        _check_weights(weights)
        following = Allocation(coverage=coverage, weights=dict(weights))
        if following == self:
            raise InvalidError.at("/coverage", "nothing changes; give a coverage or weights")
        return following

    def without(self, variant: str) -> "Allocation":
        """This allocation when a variant leaves and the others share its visitors."""
        remaining = {key: weight for key, weight in self.weights.items() if key != variant}
        total = sum(remaining.values())
        weights = {key: weight / total for key, weight in remaining.items()}
        return Allocation(coverage=self.coverage, weights=weights)


def _check_weights(weights: Mapping[str, float]) -> None:
    for key, weight in weights.items():
        if weight <= 0:
            raise InvalidError.at(f"/weights/{key}", "must be above 0; remove the variant instead")
    total = sum(weights.values())
    if abs(total - 1) > WEIGHT_TOLERANCE:
        raise InvalidError.at("/weights", f"sum to {total:g}; they must sum to 1")
