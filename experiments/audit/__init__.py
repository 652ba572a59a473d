"""Who changed what, when and why: append-only, written with every change in its transaction.

The number of the newest entry is also the version of everything that is live: whoever holds a
snapshot compares it and knows whether anything changed.
"""
