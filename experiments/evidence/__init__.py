"""What the real import, analysis and gate make of experiments that other people ran.

Public data sets are brought into a database of their own and looked at as if they were running;
what the gate says stands beside what a textbook test looked at as often would have said.
"""
