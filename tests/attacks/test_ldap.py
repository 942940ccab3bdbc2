"""Search filters of LDAP: broken out of, brought along, and parentheses of other kinds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import weight

ATTRIBUTES = st.sampled_from(["uid", "cn", "objectClass", "userPassword", "mail", "sAMAccountName"])
OPERATORS = st.sampled_from(["=", ">=", "<=", "~="])
WORDS = st.text("abcdefgh*.@-", max_size=8)


@given(WORDS, st.sampled_from(["", "&", "|", "!"]), ATTRIBUTES, OPERATORS, WORDS)
def test_a_value_that_closes_the_filter_and_opens_another_is_denied(
    before: str, joint: str, attribute: str, operator: str, after: str
) -> None:
    """Whatever it is put into: ``(uid=VALUE)``, as RFC 4515 writes items."""
    assert weight("ldap", f"{before}){joint}({attribute}{operator}{after}") >= 1
    assert weight("ldap", f"{before})(|({attribute}{operator}{after})") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "*)(&",
        "*))\0",
        "x)(|(password=*))",
        "*(|(objectclass=*))",
        "(&(uid=a)(!(&(1=0)(userPassword=q))))",
        "a:2.5.13.5:=b",
        "x)((|userpassword=*)",
        "*))(|(cn=*",
        "test) ( & ",
        "a)(cn:dn:2.4.6.8:=b",
    ],
    ids=range(10),
)
def test_filters_are_denied(text: str) -> None:
    """Cut off, negated, with matching rules, with blanks."""
    assert weight("ldap", text) >= 1


@given(
    st.recursive(
        st.sampled_from(["x", "a=b", "f", "x + 1", "see page 5", "!x", "a && b"]),
        lambda inner: st.builds("{}({})".format, st.sampled_from(["", "f", "a ", "if "]), inner),
    )
)
def test_balanced_parentheses_pass(text: str) -> None:
    """Code and formulas close what they open."""
    assert weight("ldap", text) < 1


@pytest.mark.parametrize(
    "text",
    [
        "1) (a = b) 2) (c = d)",
        "great :)(really)",
        "(*fp)(&x)",
        "partial(f)(key=1)",
        "(defun x (y) (& z))",
        "hi ;) (x=y)",
    ],
    ids=range(6),
)
def test_other_parentheses_pass(text: str) -> None:
    """Lists, faces, calls of what a call gave."""
    assert weight("ldap", text) < 1
