"""Visitors, the ids that belong to them, and which arm of which experiment they are in.

The hash is fixed for ever. A stored assignment always wins over the hash. When two visitors turn
out to be one, the earlier assignment stands and the later is kept, marked as contaminated.
"""
