"""Header lines and commands of mail protocols in fields of one line, and mails quoted in texts."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example\nBcc: c@d.example",
        "a@b.example\r\nCc:c@d.example",
        "x\r\nRCPT TO:<a@b.example>",
        "\nMAIL FROM: a@b.example",
        "\r\nV100 CAPABILITY\r\nV101 FETCH 1",
        '"\r\nA1 LOGIN a b',
        "\r\nQUIT\r\n",
        "x\r\n.\r\nMAIL FROM:<a@b.example>",
        "x\nEHLO a.example",
    ],
    ids=range(9),
)
def test_lines_behind_a_field_are_denied(text: str) -> None:
    """Recipients that are added, and commands of IMAP and SMTP."""
    assert weight("mail", text, Place.FORM, "email") >= 1
    assert weight("mail", text, Place.QUERY) >= 1


def test_other_header_lines_are_denied_where_a_name_or_an_address_belongs() -> None:
    """Nobody has two lines in a subject; many texts have."""
    for name in ("email", "subject", "contact[name]"):
        assert weight("mail", "x\r\nSubject: hello", Place.FORM, name) >= 1
    assert weight("mail", "x\r\nSubject: hello", Place.FORM, "comment") == 0


@pytest.mark.parametrize(
    "text",
    [
        "From: a@b.example\nTo: c@d.example\nSubject: Lunch\n\nSee you",
        "To whom it may concern\nCc: all of them",
        "Dear Anna,\nI got mail from: Bob",
        "Section\nA1 is the list",
        "please\nquit smoking",
        "RCPT TO:<a@b.example>",
    ],
    ids=range(6),
)
def test_mails_and_texts_pass(text: str) -> None:
    """Quoted mails, letters, lists."""
    assert weight("mail", text, Place.FORM, "message") < 1
