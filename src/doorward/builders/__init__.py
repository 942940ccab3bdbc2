"""Builders of rules that need compiled data: they open it, check names against it, and hand it to the rule.

Rules themselves never touch a file (design: "dependencies point one way"); these do it once, when a rule is built.
"""
