"""The rule of the decision: from one readout and its plan to an outcome with a trace; pure.

Nothing is promoted because it merely has the larger figure: every condition must have passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.analysis.schemas import Belief, Estimate, FixedHorizon, Readout
from experiments.decisions.merit import harm, merit
from experiments.decisions.schemas import Condition, Outcome, Ruling, Verdict
from experiments.decisions.trust import Facts, health, maturity, unchanged
from experiments.design.schemas import Plan
from experiments.metrics.schemas import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What lies before the judge: the conditions, sorted by what they are about."""

    readout: Readout
    plan: Plan
    facts: Facts
    health: list[Condition]
    timing: list[Condition]
    harm: dict[str, list[Condition]]
    merit: dict[str, list[Condition]]

    @property
    def trace(self) -> list[Condition]:
        """Every condition, in the order it is told."""
        shared = [*self.health, *self.timing]
        return shared + [
            condition
            for variant in self.merit
            for condition in (*self.harm[variant], *self.merit[variant])
        ]

    @property
    def harmed(self) -> list[str]:
        """Variants that do harm; a broken split can look like harm, so it must be sound."""
        if _open(self.health[:1]):
            return []
        return [variant for variant, conditions in self.harm.items() if _open(conditions)]

    @property
    def winners(self) -> list[str]:
        """Variants of which every condition has passed, those believed best first."""
        if _open([*self.health, *self.timing]):
            return []
        passed = [
            variant
            for variant, conditions in self.merit.items()
            if not _open([*self.harm[variant], *conditions])
        ]
        return sorted(passed, key=self.believed_gain, reverse=True)

    def believed_gain(self, variant: str) -> float:
        """The shrunk relative effect, turned so that better is above zero."""
        belief = self.readout.primary.comparison(variant).belief
        return _better(self.readout, belief.effect_rel) if isinstance(belief, Belief) else 0.0


def judge(readout: Readout, plan: Plan, facts: Facts) -> Verdict:
    """Decide what follows from a readout.

    Args:
        readout: one look, with estimates, tests and quality checks.
        plan: what was agreed before the start.
        facts: what else matters: enrolling or not, removed variants, changes of the standard.

    Returns:
        The outcome, the variant it is about, a sentence, and every condition with its ruling.
    """
    variants = [
        item.variant for item in readout.primary.comparisons if item.variant not in facts.removed
    ]
    bench = _Bench(
        readout=readout,
        plan=plan,
        facts=facts,
        health=health(readout, facts),
        timing=[maturity(readout, plan), unchanged(facts)],
        harm={item: harm(readout, item, called=facts.called(item)) for item in variants},
        merit={item: merit(readout, plan, item, called=facts.called(item)) for item in variants},
    )
    outcome, variant, sentence = _outcome(bench)
    return Verdict(
        outcome=outcome,
        variant=variant,
        harmed=bench.harmed,
        sentence=sentence,
        trace=bench.trace,
    )


def _outcome(bench: _Bench) -> tuple[Outcome, str | None, str]:
    winners = bench.winners
    if winners:
        return Outcome.PROMOTE, winners[0], _praise(bench, winners[0])
    if bench.merit and set(bench.harmed) == set(bench.merit):
        words = _words(_open(_all(bench.harm.values())))
        return Outcome.ABORT, None, f"{words} The experiment ends and the standard stays."
    if not bench.readout.finished:
        return Outcome.CONTINUE, None, f"Not decided yet. {_words(_open(bench.trace)[:1])}"
    return _ending(bench)


def _ending(bench: _Bench) -> tuple[Outcome, str | None, str]:
    """The horizon is over without a winner: nothing to gain, or nothing to say."""
    untrusted = _open(bench.health)
    if untrusted:
        words = _words(untrusted)
        return (
            Outcome.INCONCLUSIVE,
            None,
            f"The data cannot be trusted. {words} The standard stays.",
        )
    worth = bench.plan.minimum_lift
    if all(_at_best(bench.readout, variant) < worth for variant in bench.merit):
        sentence = f"No variant improves {bench.readout.primary.name} by {worth:.0%} or more."
        return Outcome.KEEP, None, f"{sentence} The standard stays."
    missing = _words(_open(bench.trace)[:2])
    return Outcome.INCONCLUSIVE, None, f"The horizon is over without an answer. {missing}"


def _praise(bench: _Bench, variant: str) -> str:
    primary = bench.readout.primary
    comparison = primary.comparison(variant)
    seen = comparison.effect_rel
    belief = comparison.belief
    measured = f"{seen.value:+.1%} measured" if isinstance(seen, Estimate) else "better"
    honest = f", {belief.effect_rel:+.1%} to be expected" if isinstance(belief, Belief) else ""
    winner = f"Variant {bench.facts.called(variant)} wins on {primary.name}"
    return f"{winner}: {measured}{honest}. Every condition is met."


def _at_best(readout: Readout, variant: str) -> float:
    """The best relative effect that the data still allow; unbounded when they do not say."""
    comparison = readout.primary.comparison(variant)
    fixed = comparison.fixed
    effect = fixed.effect_rel if isinstance(fixed, FixedHorizon) else comparison.effect_rel
    if not isinstance(effect, Estimate):
        return float("inf")
    return max(_better(readout, effect.ci_low), _better(readout, effect.ci_high))


def _better(readout: Readout, effect: float) -> float:
    return effect if readout.primary.direction is Direction.INCREASE else -effect


def _open(conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions that have not passed."""
    return [condition for condition in conditions if condition.ruling is not Ruling.PASSED]


def _all(groups: Iterable[Sequence[Condition]]) -> list[Condition]:
    return [condition for group in groups for condition in group]


def _words(conditions: Iterable[Condition]) -> str:
    return " ".join(condition.words for condition in conditions)
