"""Designing experiments: draft, checks in words, a frozen plan, the life cycle, layers, holdouts.

While an experiment runs its plan, metrics and variants do not change; another allocation or
coverage opens a new phase, and phases are strata, never pooled.
"""
