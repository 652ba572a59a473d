"""What a preview forces, the same for whoever carries it to whichever address."""

from experiments.resolution import overrides
from experiments.resolution.overrides import Forced
from experiments.runtime import Runtime


def previewed(opened: Runtime, token: str) -> Forced | None:
    """The variant that a token shows; none when it is expired or was not made here."""
    key = opened.settings.signing_key()
    return overrides.verify(token, key=key, now=opened.clock.now())
