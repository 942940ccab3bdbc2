"""Numbers that the applications of ``redis_apps`` and their tests share."""

TIMEOUT = 0.25
MOST = 500
A_SECOND = 40
