"""P21: adding what is benign to a request takes nothing away from what is found in it."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st
from tests.attacks.test_scan import request, scan

from doorward import shield

REAL = shield().scanner
SCRIPT = "<script>alert(1)</script>"
BENIGN_HEADERS = [
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.5"),
    ("if-none-match", 'W/"67ab43-5f2"'),
    ("cookie", "theme=dark; _ga=GA1.2.1234.5678"),
    ("referer", "https://shop.example/search?q=tea"),
]
BENIGN_PAIRS = ["page=2", "lang=en", "name=O%27Brien", "q2=tea+%26+milk", "note=Grüße", "empty=", "flag"]
ATTACKED = [f"q={quote(SCRIPT)}", f"a=1&q={quote(SCRIPT)}&b=2"]


@given(
    st.sampled_from(ATTACKED),
    st.lists(st.sampled_from(BENIGN_PAIRS), max_size=20),
    st.lists(st.sampled_from(BENIGN_HEADERS), max_size=8),
    st.sampled_from(["query", "form", "multipart"]),
    st.integers(0, 20),
)
def test_p21_benign_additions_never_let_an_attack_pass(
    attacked: str, pairs: list[str], headers: list[tuple[str, str]], place: str, at: int
) -> None:
    """P21: headers, parameters and parts beside it, before it and after it."""
    text = "&".join([*pairs[:at], attacked, *pairs[at:]])
    if place == "query":
        asked = request(text, headers=headers)
    elif place == "form":
        asked = request("page=1", text.encode(), "application/x-www-form-urlencoded", headers=headers)
    else:
        parts = [*[pair.partition("=")[::2] for pair in pairs[:at]], ("q", SCRIPT), *[(p, p) for p in pairs[at:]]]
        data = "".join([f'--xy\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts])
        asked = request("", f"{data}--xy--\r\n".encode(), "multipart/form-data; boundary=xy", headers=headers)
    assert scan(REAL, asked).weight == 1.0


@given(st.integers(0, 300_000))
@example(300_000)
def test_p21_padding_never_lets_an_attack_pass(size: int) -> None:
    """P21: nor any length of text around it."""
    body = b"a=" + b"tea and milk " * (size // 13) + b"&b=" + quote(SCRIPT).encode() + b"&c=tea"
    assert scan(REAL, request("", body, "application/x-www-form-urlencoded")).weight == 1.0
