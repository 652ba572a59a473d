"""Messages of which nobody knows whether they arrived: the sender broke down while it sent.

Mails and webhooks carry an id by which a receiver knows a repetition. Slack has none, so that a
message is repeated there once, with a word about it, and then given up.
"""

import json

from experiments.delivery.models import Delivery
from experiments.delivery.schemas import Channel

UNKNOWN = "It is not known whether the try before arrived."
GIVEN_UP = "It is not known whether either of two tries arrived; another could be one too many."
REPEATED = "Perhaps you have this already: whether it arrived the first time is not known."


def is_doubtful(row: Delivery) -> bool:
    """Whether a try was begun and its outcome never written down."""
    return row.attempts > 0 and row.error in {"", UNKNOWN}


def is_given_up(row: Delivery) -> bool:
    """Whether another try could tell people the same a third time."""
    return row.channel == Channel.SLACK and row.error == UNKNOWN


def marked(content: str) -> str:
    """A message to Slack that says of itself that it may be a repetition."""
    document = json.loads(content)
    document["text"] = f"{REPEATED} {document['text']}"
    small = (block for block in document.get("blocks", ()) if block["type"] == "context")
    if first := next(small, None):
        first["elements"].append({"type": "mrkdwn", "text": REPEATED})
    return json.dumps(document)
