"""What only the server knows of whoever asks, their stage and their persona, as attributes; pure.

Both are attributes to the conditions of a journey, `stage` and `persona`. What a request or an
`identify` call says under these names stands.
"""

from experiments.conditions import matches
from experiments.resolution.enrolment import Question
from experiments.resolution.ruleset import JourneyRule


def recognised(journey: JourneyRule, question: Question) -> Question:
    """The question with stage and persona, as far as conditions of the journey ask for them."""
    attributes = dict(question.attributes)
    standing = question.standing.get(journey.id)
    if journey.asks_stage and standing is not None:
        attributes.setdefault("stage", standing.stage)
    if "persona" not in attributes:
        fitting = (item.key for item in journey.personas if matches(item.rule, attributes))
        persona = next(fitting, None)
        if persona is not None:
            attributes["persona"] = persona
    return question._replace(attributes=attributes)
