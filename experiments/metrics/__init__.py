"""The catalogue of metrics: what counts as an outcome, inside which window, in which direction.

A conversion is a view (events joined to the first exposure), so a metric can be corrected later
and everything recomputed. The slice stands below journeys, because every stage names a metric.
"""
