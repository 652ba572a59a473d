"""The journey map: stages, touchpoints, slots and approved content, in immutable versions.

Exactly one version of a journey is the standard. A change is a new version; publishing makes it
the standard and supersedes the one before; reverting publishes an earlier graph again.
"""
