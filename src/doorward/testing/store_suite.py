"""The conformance suite of stores: what :class:`doorward.stores.base.Store` promises, checked against yours.

Subclass :class:`StoreSuite` in a test module and say how a store is made; pytest runs the rest::

    from doorward.testing.store_suite import StoreSuite

    class TestMyStore(StoreSuite):
        def make_store(self, clock):
            return MyStore(clock=clock)

Without pytest, ask :func:`failures` for what is wrong.
"""

from __future__ import annotations

import unittest

from doorward.testing.counting_checks import CountingChecks
from doorward.testing.keeping_checks import KeepingChecks


class StoreSuite(CountingChecks, KeepingChecks):
    """One check a promise of :class:`~doorward.stores.base.Store` and :class:`~doorward.stores.base.AsyncStore`.

    Override :meth:`make_store`. It is called before every check, and again for a few; each store is closed after the
    check. Keys begin anew with every check, so that stores may share a server or a file.

    An :class:`~doorward.stores.base.AsyncStore` is called through an event loop on a thread of its own; where making
    one has to be awaited, ``make_store`` may be a coroutine function.

    Attributes:
        own_time: Set it to True for a store that does not go by the clock it is given, such as one with the time of a
            server. The few checks that need a clock are then skipped, and the others wait for real, half a second each.
    """


def failures(suite: type[StoreSuite], *checks: str) -> dict[str, Exception]:
    """Run checks; what those raised that failed, by name. Skipped checks do not count.

    Args:
        suite: Your subclass of :class:`StoreSuite`.
        *checks: Names of methods; all of them where none is named.
    """
    failed: dict[str, Exception] = {}
    for name in checks or sorted(name for name in dir(suite) if name.startswith("test_")):
        check = suite()
        check.setup_method()
        try:
            getattr(check, name)()
        except unittest.SkipTest:
            continue
        except Exception as error:
            failed[name] = error
        finally:
            check.teardown_method()
    return failed


__all__ = ["StoreSuite", "failures"]
