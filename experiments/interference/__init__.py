"""Whether experiments that share visitors change each other's effects: a scan, stored per pair.

A flagged pair warns; one in which a variant helps in one arm of the other experiment and harms in
the other holds back its promotion until the other experiment is over.
"""
