"""The decision service, and the client that asks it.

``messages`` is what both say to each other; ``client`` is what an application needs, ``server`` what answers.
"""
