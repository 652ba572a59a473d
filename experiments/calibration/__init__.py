"""The proof: the real analysis and the real gate, run on thousands of simulated experiments.

A scenario says what the site is like and what is hidden in it; a panel holds the counts that its
experiments would have collected; trials put them before the code that runs in production; tables
hold what came out against its limits.
"""
