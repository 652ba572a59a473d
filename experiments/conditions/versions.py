"""Versions as text that sorts like versions."""

import re

_PREFIX_OR_BUILD = re.compile(r"^v|\+.*$")
_SEPARATOR = re.compile(r"[-.]")
_PARTS_OF_A_RELEASE = 3
_DIGITS = 5


def sortable(version: object) -> str:
    """Text that compares like the version: numbers padded, a release after its pre-releases.

    >>> sortable("1.9.0") < sortable("1.10.0-rc.1") < sortable("v1.10.0+build")
    True
    """
    text = str(version) if isinstance(version, str | int | float) else "0"
    parts = _SEPARATOR.split(_PREFIX_OR_BUILD.sub("", text))
    if len(parts) == _PARTS_OF_A_RELEASE:
        parts.append("~")  # sorts behind every letter, so the release follows its pre-releases
    return "-".join(part.rjust(_DIGITS) if part.isdecimal() else part for part in parts)
