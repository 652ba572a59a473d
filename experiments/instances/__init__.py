"""Journey instances: each walk of a visitor through a journey, derived from events.

Which stage a visitor is in follows from what they did and from the version that they walk; nobody
sets it by hand. Deriving again gives the same, also when events come late or two ids turn out to be
one person.
"""
