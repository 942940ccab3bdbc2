"""What requests leave behind for the garbage collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable

from doorward import Decision, RequestContext
from doorward.progress import Progress

OF_A_REQUEST = (RequestContext, Progress, Decision)


def left_behind(requests: Callable[[], object]) -> Counter[str]:
    """What is made for each request, and was not freed with it: only these, for other threads leave things, too.

    Args:
        requests: Makes some; those before it are not counted.
    """
    requests()  # what is made once, such as modules loaded late and caches
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        requests()
        gc.collect()
        return Counter(type(each).__name__ for each in gc.garbage if isinstance(each, OF_A_REQUEST))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
