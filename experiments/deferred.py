"""Libraries that a web worker loads when somebody first asks for what they make.

Drawing, typesetting and tables take more memory than everything else together, and most workers
answer sites all day without any of it. SciPy loads its parts like this by itself.
"""

from importlib import import_module
from typing import Any


class Deferred:
    """Stands for a module until something of it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """What the module has under this name."""
        return getattr(import_module(self._name), attribute)
