"""What was answered to requests that may be sent again: one key, one effect, one answer.

A caller names a request by a key of its own. The first request with it takes it; while that runs
another is refused, and afterwards it is told the first answer instead of doing everything twice.
"""
