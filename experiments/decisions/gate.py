"""The rule of the decision: from one readout and its plan to an outcome with a trace; pure.

Nothing is promoted because it merely has the larger figure: every condition must have passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.analysis.schemas import Belief, Estimate, FixedHorizon, Readout
from experiments.decisions.conflicts import unchanged, undisturbed
from experiments.decisions.merit import MORE, comes_sooner, harm, merit
from experiments.decisions.schemas import Condition, Outcome, Ruling, Verdict
from experiments.decisions.trust import Facts, health, maturity, split_is_sound
from experiments.design.plans import OnHarm, Plan
from experiments.formats import lift
from experiments.metrics.schemas import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What lies before the judge: the conditions, sorted by what they are about."""

    readout: Readout
    plan: Plan
    facts: Facts
    health: list[Condition]
    maturity: Condition
    standard: Condition
    harm: dict[str, list[Condition]]
    merit: dict[str, list[Condition]]

    @property
    def trace(self) -> list[Condition]:
        """Every condition, in the order it is told."""
        shared = [*self.health, self.maturity, self.standard]
        return shared + [
            condition
            for variant in self.merit
            for condition in (*self.harm[variant], *self.merit[variant])
        ]

    @property
    def harmed(self) -> list[str]:
        """Variants that do harm; a broken split can look like harm, so it must be sound."""
        if not split_is_sound(self.health):
            return []
        return [variant for variant, conditions in self.harm.items() if _open(conditions)]

    @property
    def proven(self) -> list[str]:
        """Variants that have proven themselves, those believed best first.

        Whether they may be merged is another question: the standard may have changed meanwhile.
        """
        if _open([*self.health, self.maturity]):
            return []
        passed = [
            variant
            for variant, conditions in self.merit.items()
            if not _open([*self.harm[variant], *conditions])
        ]
        return sorted(passed, key=self.believed_gain, reverse=True)

    @property
    def must_abort(self) -> bool:
        """Whether harm ends the experiment: by its plan, or because no variant is left."""
        if not self.harmed:
            return False
        return self.plan.on_harm is OnHarm.ABORT or set(self.harmed) == set(self.merit)

    def believed_gain(self, variant: str) -> float:
        """The shrunk relative effect, turned so that better is above zero."""
        belief = self.readout.primary.comparison(variant).belief
        return _better(self.readout, belief.effect_rel) if isinstance(belief, Belief) else 0.0


def judge(readout: Readout, plan: Plan, facts: Facts) -> Verdict:
    """Decide what follows from a readout.

    Args:
        readout: one look, with estimates, tests and quality checks.
        plan: what was agreed before the start.
        facts: what else matters: enrolling or not, removed variants, changes of the standard,
            experiments that interfere.

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
        maturity=maturity(readout, plan),
        standard=unchanged(facts),
        harm={item: harm(readout, item, called=facts.called(item)) for item in variants},
        merit={item: _merit(readout, plan, facts, variant=item) for item in variants},
    )
    outcome, variant, sentence = _outcome(bench)
    return Verdict(
        outcome=outcome,
        variant=variant,
        harmed=bench.harmed,
        sentence=sentence,
        trace=bench.trace,
    )


def _merit(readout: Readout, plan: Plan, facts: Facts, *, variant: str) -> list[Condition]:
    return [
        *merit(readout, plan, variant, called=facts.called(variant)),
        undisturbed(facts, variant, finished=readout.finished),
    ]


def _outcome(bench: _Bench) -> tuple[Outcome, str | None, str]:
    proven = bench.proven
    if proven:
        return _won(bench, proven[0])
    if bench.must_abort:
        words = _words(_open(_all(bench.harm.values())))
        return Outcome.ABORT, None, f"{words} The experiment ends and the standard stays."
    if not bench.readout.finished:
        return Outcome.CONTINUE, None, f"Not decided yet. {_words(_open(bench.trace)[:1])}"
    return _ending(bench)


def _won(bench: _Bench, variant: str) -> tuple[Outcome, str | None, str]:
    """A variant has proven itself; it is merged by itself only into what it was tested on."""
    praise = _praise(bench, variant)
    if not _open([bench.standard]):
        return Outcome.PROMOTE, variant, f"{praise} Every condition is met."
    advice = "Somebody must look at it and rebase the promotion, or leave it."
    return Outcome.CONFLICT, variant, f"{praise} {bench.standard.words} {advice}"


def _ending(bench: _Bench) -> tuple[Outcome, str | None, str]:
    """The horizon is over without a winner: nothing to gain, or nothing to say."""
    if untrusted := _open(bench.health):
        said = f"The data cannot be trusted. {_words(untrusted)}"
        return Outcome.INCONCLUSIVE, None, f"{said} The standard stays."
    readout, name = bench.readout, bench.readout.primary.name
    at_best = {variant: _at_best(readout, variant) for variant in bench.merit}
    for variant, most in at_best.items():
        if most >= 0 and comes_sooner(readout, variant):
            words = next(item.words for item in bench.merit[variant] if item.condition == MORE)
            return Outcome.SOONER, variant, f"{words} The standard stays."
    best = max(at_best.values(), default=float("inf"))
    if best < 0:
        return Outcome.KEEP, None, f"No variant is as good on {name}. The standard stays."
    worth = bench.plan.minimum_lift
    if best < worth:
        said = f"No variant improves {name} by {worth:.0%} or more"
        return Outcome.NEUTRAL, None, f"{said}: there is no difference worth having."
    missing = _words(_open(bench.trace)[:2])
    return Outcome.INCONCLUSIVE, None, f"The horizon is over without an answer. {missing}"


def _praise(bench: _Bench, variant: str) -> str:
    primary = bench.readout.primary
    comparison = primary.comparison(variant)
    seen = comparison.effect_rel
    belief = comparison.belief
    measured = f"{lift(seen.value)} measured" if isinstance(seen, Estimate) else "better"
    honest = f", {lift(belief.effect_rel)} to be expected" if isinstance(belief, Belief) else ""
    winner = f"Variant {bench.facts.called(variant)} wins on {primary.name}"
    return f"{winner}: {measured}{honest}."


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
