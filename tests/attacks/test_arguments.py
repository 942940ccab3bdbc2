"""Values that a program takes for one of its options."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

ATTACKS = {
    "archiver": "--checkpoint-action=exec=sh x.sh",
    "download to the web root": "--output=/var/www/html/x.php",
    "file that is sent": "--post-file=/etc/hosts",
    "password helper": "--use-askpass=/srv/x.sh",
    "secure shell": "-oProxyCommand=id",
    "version control": "--config=core.sshCommand=id",
    "its transport": "ext::sh -c id",
    "mailer": "x@example.com -oQ/tmp -X/var/www/s.php",
    "finder": "-exec id ;",
    "connection": "file.txt -e /bin/sh",
}
ORDINARY = {
    "format": "--output=json",
    "question": "what does --rsync-path=x do in this script?",
    "host configuration": "ProxyCommand ssh -W %h:%p bastion",
    "setting": "git config core.editor vim",
    "file name": "-o result.txt",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_options_that_run_or_write_are_conclusive(name: str) -> None:
    """Where a value begins with them, or ends with them behind an address."""
    assert weight("arguments", ATTACKS[name]) >= 1


@pytest.mark.parametrize("name", ORDINARY)
def test_other_options_and_texts_about_them_pass(name: str) -> None:
    """Most options are harmless."""
    assert weight("arguments", ORDINARY[name]) < 1
