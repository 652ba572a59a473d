"""What operators type: a module per noun; `cli.py` puts them together.

A command parses, opens one transaction, calls one service, and prints.
"""
