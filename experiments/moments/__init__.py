"""From exposures and events to exact sums, of everything that runs, in one pass.

Everybody counts in the arm of their exposure (intention to treat), also when contaminated. Events
count from the first exposure, inside the metric's window, as received by the time asked. The rule
of it is written once, in `relational`; which engine runs it, and over which tables, makes no
difference to the last digit, since all that is added are whole numbers.
"""
