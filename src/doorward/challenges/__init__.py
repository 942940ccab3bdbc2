"""Challenges and clearance: what a doubtful client is asked to do, and the token that says that it has done it.

:class:`~doorward.challenges.gate.Gate` is what the rest of doorward knows of this package: it answers a challenged
request in its place, serves the endpoints below ``/.doorward/``, and reads the clearance that a client brings back.
"""
