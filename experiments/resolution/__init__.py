"""Answering "what do I show this visitor here?": a frozen ruleset and a ladder of rungs.

Every rung that is tried says why it did or did not answer; explaining writes nothing.
"""
