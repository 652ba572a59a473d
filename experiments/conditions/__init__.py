"""Conditions on attributes: MongoDB-style JSON with the semantics of the GrowthBook SDKs.

One implementation for audiences, entry rules and metric rules, so that a condition means the same
on the server and in an SDK that evaluates it in the browser.
"""

from experiments.conditions.comparing import compared_with
from experiments.conditions.matching import matches
from experiments.conditions.portable import is_portable, named
from experiments.conditions.soundness import check_condition
from experiments.conditions.telling import told

__all__ = ["check_condition", "compared_with", "is_portable", "matches", "named", "told"]
