"""A pretended site with pretended visitors, and the demonstration that runs on it.

The site knows nothing of the domain: it speaks to a running server over HTTP like any other.
"""
