"""What the inputs of a golden case become for the engine, and how its answer is read."""

from stats.means import mean_estimate
from stats.moments import Counts, JointMoments, Moments
from stats.proportions import rate_estimate
from stats.results import NotEstimable


def counts(arm):
    return Counts(**arm)


def arms(case, build=counts):
    return build(case["control"]), build(case["treatment"])


def moments(arm):
    if "sd" in arm:
        return Moments.from_mean_sd(n=arm["n"], mean=arm["mean"], sd=arm["sd"])
    if "m2" in arm:
        return Moments(**arm)
    return Moments.from_sums(n=arm["n"], total=arm["sum"], total_squares=arm["sum_squares"])


def estimates(case):
    if case.get("kind", "mean" if "n" in case["control"] else "proportion") == "mean":
        return tuple(mean_estimate(arm) for arm in arms(case, moments))
    return tuple(rate_estimate(arm) for arm in arms(case))


def pair_moments(arm, first, second):
    cross = arm["cross_sum"]
    products = [[arm[f"{first}_squares"], cross], [cross, arm[f"{second}_squares"]]]
    return JointMoments.from_sums(n=arm["n"], totals=[arm[first], arm[second]], products=products)


def stacked(listed):
    names = ("visitors", "conversions")
    return Counts(**{name: [arm[name] for arm in listed] for name in names})


def outputs(result, index=(), **renamed):
    """Read the fields of one element by their golden names, or why there are none."""
    scalar = result.at(index)
    if isinstance(scalar, NotEstimable):
        return dict.fromkeys(renamed) | {"status": "not_enough_data", "reason": str(scalar)}
    fields = {name: getattr(scalar, name) for name in scalar.__dataclass_fields__}
    return fields | {ours: fields[theirs] for ours, theirs in renamed.items()} | {"status": "ok"}
