"""Personas: kinds of visitors, each an executable condition on what is known of somebody.

A persona changes by versions, so that what was aimed at an earlier one stays understandable. The
slice stands beside journeys: an experiment is aimed at a persona by the persona's condition.
"""
