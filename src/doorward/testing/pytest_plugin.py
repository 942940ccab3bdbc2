"""The pytest plugin, for who names it by hand: ``-p doorward.testing.pytest_plugin`` where doorward is not installed.

pytest finds it by its entry point, :mod:`doorward_pytest`: a module outside of this package, so that no run of pytest
has to import doorward before a test asks for it. This name stands for that module, so that it is registered once.
"""

import sys

import doorward_pytest

sys.modules[__name__] = doorward_pytest
