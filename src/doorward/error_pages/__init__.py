"""Error pages for any status: in the reader's language, for browsers and programs alike, with the headers kept.

::

    pages = ErrorPages(errors={404: {"title": "Lost?", "message": "This page has moved on."}}, accent="#0b57d0")
    application = pages.wsgi(application)          # or pages.asgi(…)

Flask, Starlette, FastAPI and Django have ``ErrorPages`` of their own in their adapters, which hook into what the
framework does about errors.
"""

from doorward.error_pages.pages import ErrorPages

__all__ = ["ErrorPages"]
