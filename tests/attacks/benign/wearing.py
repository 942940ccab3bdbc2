"""The headers and cookies that clients send with a request, whatever it is about."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from .encodings import chance, hexadecimal, letters
from .model import Draft
from .tokens import base64_text, etag, json_web_token, traceparent, uuid
from .urls import page_url

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
)
_ACCEPTS = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "application/json, text/plain, */*",
    "*/*",
    "application/vnd.api+json;version=2, application/json;q=0.5",
)
_LANGUAGES = ("en-US,en;q=0.9", "de-DE,de;q=0.8,en-US;q=0.5,en;q=0.3", "he-IL,he;q=0.9", "zh-CN,zh;q=0.9", "*")


def dressed(rng: Random, draft: Draft) -> tuple[tuple[str, str], ...]:
    """The headers of `draft` after those of a client; its own win."""
    headers = {
        "Host": "localhost",
        "User-Agent": rng.choice(_BROWSERS),
        "Accept": rng.choice(_ACCEPTS),
        "Accept-Language": rng.choice(_LANGUAGES),
        "Accept-Encoding": "gzip, deflate, br, zstd",
    }
    for write in rng.sample(_EXTRAS, rng.randint(0, 3)):
        headers |= write(rng)
    if chance(rng, 0.5):
        headers["Cookie"] = cookies(rng)
    headers |= draft.headers
    return tuple(headers.items())


def cookies(rng: Random) -> str:
    """One to six cookies of analytics, sessions, consent and settings."""
    return "; ".join(write(rng) for write in rng.sample(_COOKIES, rng.randint(1, 6)))


def _referer(rng: Random) -> dict[str, str]:
    return {"Referer": page_url(rng)}


def _origin(rng: Random) -> dict[str, str]:
    return {
        "Origin": rng.choice(("http://localhost:3000", "https://shop.example.com", "null", "http://127.0.0.1:5173"))
    }


def _conditional(rng: Random) -> dict[str, str]:
    when = f"Tue, {rng.randint(1, 28):02d} May 2024 07:{rng.randint(0, 59):02d}:15 GMT"
    return {"If-None-Match": etag(rng), "If-Modified-Since": when}


def _authorization(rng: Random) -> dict[str, str]:
    credentials = base64.b64encode(f"jane.o'neil@example.com:{letters(rng, 12)}".encode()).decode()
    digest = (
        f'username="jane", realm="Bob\'s API", nonce="{base64_text(rng, 16)}", uri="/api?x=1&y=2",'
        f' qop=auth, nc=00000001, response="{hexadecimal(rng, 32)}"'
    )
    signature = (
        f"Credential=AKIA{letters(rng, 16).upper()}/2024{rng.randint(1, 12):02d}07/eu-west-1/s3/aws4_request,"
        f" SignedHeaders=host;range;x-amz-date, Signature={hexadecimal(rng, 64)}"
    )
    schemes = {
        "Basic": credentials,
        "Bearer": json_web_token(rng),
        "Token": hexadecimal(rng, 40),
        "Digest": digest,
        "AWS4-HMAC-SHA256": signature,
    }
    scheme = rng.choice(list(schemes))
    return {"Authorization": f"{scheme} {schemes[scheme]}"}


def _forwarded(rng: Random) -> dict[str, str]:
    chain = f"198.51.100.{rng.randint(1, 254)}, 10.0.{rng.randint(0, 255)}.7"
    return rng.choice(
        (
            {"X-Forwarded-For": chain, "X-Forwarded-Proto": "https", "X-Real-IP": chain.split(",", maxsplit=1)[0]},
            {"Forwarded": f'for="[2001:db8::{rng.randint(1, 999)}]:47011";proto=https;by=10.0.0.{rng.randint(1, 254)}'},
            {"Via": "1.1 varnish, 2 proxy.example.com (squid/5.7)"},
        )
    )


def _client_hints(rng: Random) -> dict[str, str]:
    version = rng.randint(118, 131)
    brand = rng.choice(("Not/A)Brand", "Not_A Brand", "Not;A=Brand", "(Not(A:Brand", "Not.A/Brand"))
    return {
        "sec-ch-ua": f'"{brand}";v="8", "Chromium";v="{version}", "Google Chrome";v="{version}"',
        "sec-ch-ua-mobile": rng.choice(("?0", "?1")),
        "sec-ch-ua-platform": rng.choice(('"Windows"', '"macOS"', '"Android"', '"Chrome OS"')),
        "Sec-Fetch-Mode": rng.choice(("navigate", "cors")),
    }


def _tracing(rng: Random) -> dict[str, str]:
    return {
        "traceparent": traceparent(rng),
        "tracestate": f"rojo={hexadecimal(rng, 16)},congo=t61rcWkgMzE",
        "baggage": f"userId=alice,serverNode=DF%2028,sentry-trace_id={hexadecimal(rng, 32)},isProduction=false",
    }


def _idempotence(rng: Random) -> dict[str, str]:
    return {"X-Request-ID": uuid(rng), "Idempotency-Key": f'"{uuid(rng)}"', "X-CSRF-Token": base64_text(rng, 48)}


def _signature(rng: Random) -> dict[str, str]:
    return {
        "X-Hub-Signature-256": f"sha256={hexadecimal(rng, 64)}",
        "Digest": f"SHA-256={base64_text(rng, 32)}",
        "Prefer": 'return=representation; foo="a, b"; wait=5',
    }


_EXTRAS: tuple[Callable[[Random], dict[str, str]], ...] = (
    _referer,
    _referer,
    _origin,
    _conditional,
    _authorization,
    _forwarded,
    _client_hints,
    _tracing,
    _idempotence,
    _signature,
)


def _encoded_json(rng: Random) -> str:
    value = {"theme": rng.choice(("dark", "light")), "cart": [{"id": rng.randint(1, 999), "qty": 2}], "v": 1.5}
    return quote(json.dumps(value), safe="")


def _raw_json(rng: Random) -> str:
    return json.dumps({"lang": "en", "seen": [rng.randint(1, 99), 4], "name": "O'Neil"}, separators=(",", ":"))


def _campaign(rng: Random) -> str:
    return f"__utmz={rng.randint(10**8, 10**9)}.17.2.utmcsr=google|utmccn=(organic)|utmcmd=organic|utmctr=(not%20set)"


def _consent(rng: Random) -> str:
    return (
        "OptanonConsent=isGpcEnabled=0&datestamp=Tue+Nov+12+2024+10%3A"
        f"{rng.randint(10, 59)}%3A07+GMT%2B0100+(Central+European+Standard+Time)&version=202405.1.0&isIABGlobal=false"
        f"&consentId={uuid(rng)}&groups=C0001%3A1%2CC0002%3A{rng.randint(0, 1)}&geolocation=DE%3BBE"
    )


def _encrypted(rng: Random) -> str:
    inner = {"iv": base64_text(rng, 16), "value": base64_text(rng, 96), "mac": hexadecimal(rng, 64), "tag": ""}
    return f"laravel_session={quote(base64.b64encode(json.dumps(inner).encode()).decode(), safe='')}"


_COOKIES: tuple[Callable[[Random], str], ...] = (
    lambda rng: (
        f"_ga=GA1.2.{rng.randint(10**8, 10**9)}.17{rng.randint(10**7, 10**8)}; _gid=GA1.2.{rng.randint(1, 10**9)}.1"
    ),
    lambda rng: (
        f"_ga_{letters(rng, 10).upper()}=GS1.1.17{rng.randint(10**7, 10**8)}.3.1.17{rng.randint(10**7, 10**8)}.0.0.0"
    ),
    lambda rng: f"_fbp=fb.1.17{rng.randint(10**10, 10**11)}.{rng.randint(10**8, 10**9)}",
    lambda rng: f"sessionid={letters(rng, 32).lower()}; csrftoken={letters(rng, 64)}",
    lambda rng: f"connect.sid=s%3A{letters(rng, 32)}.{quote(base64_text(rng, 32), safe='')}",
    lambda rng: f"_app_session={quote(base64_text(rng, 90), safe='')}--{hexadecimal(rng, 40)}",
    lambda rng: f"session=.eJw{letters(rng, 40)}.Z{letters(rng, 5)}.{letters(rng, 27)}",
    lambda rng: f"AWSALB={base64_text(rng, 96)}; AWSALBCORS={base64_text(rng, 96)}",
    lambda rng: f"access_token={json_web_token(rng)}",
    lambda rng: f"prefs={_encoded_json(rng)}",
    lambda rng: f"state={_raw_json(rng)}",
    lambda rng: f'ajs_user_id="{uuid(rng)}"; ajs_anonymous_id=%22{uuid(rng)}%22',
    lambda rng: f"PHPSESSID={letters(rng, 26).lower()}; lang=en-GB; tz=Europe/Berlin",
    lambda rng: f"JSESSIONID={hexadecimal(rng, 32).upper()}.node{rng.randint(1, 9)}; rememberMe=true",
    lambda rng: (
        f"wp-settings-1=libraryContent%3Dbrowse%26editor%3Dtinymce; wp-settings-time-1=17{rng.randint(10**7, 10**8)}"
    ),
    lambda rng: f"last_search={quote(rng.choice(('Müller & Söhne', '北京 烤鸭', 'size > 10', 'men’s shoes')))}",
    lambda rng: f"return_to={quote(page_url(rng), safe='')}",
    _campaign,
    _consent,
    _encrypted,
)
