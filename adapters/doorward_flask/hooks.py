"""Before and after everything else that an application does with a request.

Around ``before_request`` and ``after_request``, not among them: ``url_value_preprocessors`` run before the former, look
things up, and abort. And around ``teardown_request``, of whose functions Flask asks each time whether they are async.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response


def hook_around(
    app: Flask,
    before: Callable[[], Response | None],
    after: Callable[[Response], Response],
    teardown: Callable[[BaseException | None], None],
) -> None:
    """Have an application call these for each request.

    Args:
        app: The application. Later versions of Flask give the methods that are replaced more arguments.
        before: Called first; what it returns, unless it is None, is the answer.
        after: Given the response last, it returns what is to be sent.
        teardown: Called at the end, with the exception that kept a response from coming about.
    """
    preprocess, process, tear_down = app.preprocess_request, app.process_response, app.do_teardown_request

    def preprocess_request(*arguments: Any) -> Any:
        refusal = before()
        return preprocess(*arguments) if refusal is None else refusal

    def process_response(*arguments: Any) -> Any:
        return after(process(*arguments))

    def do_teardown_request(*arguments: Any, **named: Any) -> None:
        try:
            tear_down(*arguments, **named)
        finally:
            teardown(arguments[-1] if arguments else named.get("exc", sys.exc_info()[1]))

    app.preprocess_request = preprocess_request  # type: ignore[method-assign]
    app.process_response = process_response  # type: ignore[assignment,method-assign]
    app.do_teardown_request = do_teardown_request  # type: ignore[method-assign]
