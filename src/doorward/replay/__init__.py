"""Recorded traffic through the rules, offline, by the recording's clock: ``doorward replay``.

:mod:`.records` says what a recorded request is; readers make them from logs, :mod:`.player` takes them through the
rules of a client, and :mod:`.report` is what comes of it, which writers show.
"""
