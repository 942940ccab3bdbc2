"""The pytest plugin by name, for runs in which its entry point is not found: ``-p doorward.testing.pytest_plugin``.

The plugin itself is :mod:`doorward_pytest`, a module outside of this package, so that no run of pytest has to import
doorward before a test asks for it. Where the entry point is there too, this module is empty, since pytest takes no
plugin twice.
"""

import os
import sys
from importlib.metadata import entry_points

if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") or "doorward" not in entry_points(group="pytest11").names:
    import doorward_pytest

    sys.modules[__name__] = doorward_pytest
