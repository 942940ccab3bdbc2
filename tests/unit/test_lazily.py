"""Values that are worked out when they are first asked for."""

from __future__ import annotations

from doorward.lazily import lazily


class Counted:
    times = 0

    @lazily
    def value(self) -> int:
        """Worked out once."""
        self.times += 1
        return 42


def test_it_is_worked_out_once_for_each_object() -> None:
    """And kept there."""
    first, second = Counted(), Counted()
    assert (first.value, first.value, second.value) == (42, 42, 42)
    assert (first.times, second.times) == (1, 1)


def test_the_class_has_the_descriptor_with_its_docstring() -> None:
    """For documentation."""
    assert isinstance(Counted.value, lazily)
    assert Counted.value.__doc__ == "Worked out once."
