"""What a visitor would have been shown on an earlier day, and what was really answered then.

The audit trail says what was live after each change, so the ruleset of any moment can be read
again; the same ladder that answers requests then answers for that moment. Answers that were logged
prove it: both must agree.
"""
