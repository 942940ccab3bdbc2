"""Where attackers would like visitors to be sent: over 300 spellings of another site, or of a script."""

from __future__ import annotations

EVIL = "evil.example"
_BEFORE = [
    "//", "/\\", "\\\\", "\\/", "///", "/\\/", "/\t/", "/\n/", "/\r/", "\t//", "\n//", " //", "\x00//",
    "/\x00/", "/%09/", "/%5c", "/%2f", "/%2F%2f", "/%5C%5C", "/.//", "/..//", "/./\\", "//\t/", "/\u2028/",
    "/\ufeff/", "\xa0//", "/\u3000/", "\x01//", "\x1f//", "\u2215\u2215", "\uff0f\uff0f", "/\uff3c", "/;//",
    "/?//", "/#//", "/@", "//@", "///@", "/:@", "/\\@", "@", ".", "/.", ":", "/:", "//:80@", "//user@",
    "//user:pw@", "//site.example@", "/\\site.example@", "//site.example\\@", "//site.example%40",
    "//site.example#@", "//site.example?@", "http://", "https://", "HTTPS://", "http:", "https:", "https:/",
    "https:///", "http:\\\\", "ht\ttps://", "\thttps://", "https:\n//", "\x00https://", "ftp://", "ws://",
    "wss://", "file://", "data://", "blob:https://", "view-source:https://", "//%65", "//xn--", "//\u0435",
    "//[::ffff:", "//0x7f.1/", "//127.1@", "http://site.example.", "//site.example.", "//site.example:80@",
    "/%0d%0aLocation: https://", "/\r\nLocation: https://", "/%0aSet-Cookie: a=", "/\r\n\r\n<script>",
    '/x"//', "/x'//", "/`//", "/{//", "/|//", "/^//", "/<//", "/>//",
]  # fmt: skip
_AFTER = ["", "/", "/%2e%2e", "/a?b#c"]
_SCRIPTS = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "\tjavascript:alert(1)", "java\nscript:alert(1)",
            "javascript://site.example/%0aalert(1)", "/javascript:alert(1)", "vbscript:msgbox(1)",
            "data:text/html,<script>alert(1)</script>", "javascript&colon;alert(1)", "\x01javascript:alert(1)",
            "about:blank", "mailto:a@evil.example", "", " ", "?", "#", "x", "./x", "../x", "\\", "%2f%2fevil.example",
            "/" + "a" * 5000, "/\ud800", "/\U0001f600", "//", "/\\", "///", "https:", "//[", "//[::1"]  # fmt: skip
TABLE = [*[f"{before}{EVIL}{after}" for before in _BEFORE for after in _AFTER], *_SCRIPTS]
