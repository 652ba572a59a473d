"""Which tests under way show something to the same visitors; pure."""

from collections.abc import Iterator, Sequence

from experiments.design.schemas import ExperimentOut, LayerPlace, Status
from experiments.shapes import Out


class Shared(Out):
    """A test under way, and at most which share of an experiment's visitors it takes in, too."""

    key: str
    name: str
    status: Status
    touchpoint: str
    share: float


def sharing(experiment: ExperimentOut, others: Sequence[ExperimentOut]) -> list[Shared]:
    """The tests on the same journey that share visitors with one, the largest share first.

    Visitors are divided independently unless both are in one layer. The share is of those who
    come to both places, so it is the most that can be.
    """
    return sorted(_shared(experiment, others), key=lambda item: (-item.share, item.key))


def _shared(experiment: ExperimentOut, others: Sequence[ExperimentOut]) -> Iterator[Shared]:
    for other in others:
        share = _share(experiment.place, other.place) * other.coverage
        if other.journey == experiment.journey and share > 0:
            plain = other.model_dump(include={"key", "name", "status", "touchpoint"})
            yield Shared(**plain, share=share)


def _share(mine: LayerPlace | None, theirs: LayerPlace | None) -> float:
    if theirs is None:
        return 1.0
    if mine is None or mine.layer != theirs.layer:
        return theirs.end - theirs.start
    common = min(mine.end, theirs.end) - max(mine.start, theirs.start)
    return max(common, 0.0) / (mine.end - mine.start)
