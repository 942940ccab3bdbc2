"""URLs, paths, tokens, cookies and other values of one kind, and the redirects of logins."""

from __future__ import annotations

import base64
import json
import zlib
from random import Random

from .encodings import chance, form, get, hexadecimal, letters, post_json, submit
from .model import Draft, Topic
from .people import email, text
from .slots import pick
from .tokens import base64_text, data_url, iban, json_web_token, licence_key, phone, uuid
from .urls import authorize_parameters, authorize_url, local_url, page_url, typed_url, webhook_url
from .wearing import cookies

_PATHS = (
    "C:\\Users\\@{name}\\Documents\\@{file}",
    "\\\\fileserver\\share\\@{dir}\\@{file}",
    "/etc is a directory, isn't it?",
    "../README.md",
    "./src/../docs/@{file}",
    "~/projects/@{name}/@{file}",
    "/var/www/html/@{file}",
    "D:/Games/@{name}'s saves/slot @{n}.sav",
    "s3://bucket-@{n}/@{dir}/@{file}",
    "file:///home/@{name}/@{file}",
    "@{dir}/**/*.py",
    "/usr/local/bin:/usr/bin:/bin",
    "%APPDATA%\\Code\\User\\settings.json",
    "$HOME/.config/@{name}/@{file}",
    "/dev/ttyUSB@{n}",
    "/proc/cpuinfo says @{n} cores",
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\@{name}",
    "C:/Windows/Fonts/arial.ttf",
    "node_modules/@scope/pkg/dist/index.d.ts",
    "classpath:/templates/@{file}",
)
_EXPRESSIONS = (
    r"^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$",
    r"^(?:\+\d{1,3})?[\s.-]?\d{@{n}}$",
    r"(?i)\b(cat|dog)s?\b",
    r"^/api/v\d+/(?P<id>[^/]+)$",
    r"\$\{[^}]*\}",
    r"s/foo/bar/g",
    r"(?<!\\)'(.*?)'",
    r"^.*\.(jpe?g|png)$",
    r"<[^>]+>",
    r"[^\x00-\x7F]+",
    r"/^\s*#.*$/gm",
    r"SELECT .* FROM",
)
_SCHEDULES = ("*/5 * * * *", "0 0 1,15 * 5", "@daily", "0 9-17/2 * * MON-FRI", "30 4 * * 0; backup")
_ACS = "https://app.example.com/saml/acs"


def _bookmark(rng: Random) -> Draft:
    return submit(
        rng, "/bookmarks", {"url": rng.choice((page_url, typed_url))(rng), "title": "It's here & now", "tags": "a,b;c"}
    )


def _redirect(rng: Random) -> Draft:
    target = rng.choice((page_url(rng), "/account?x=1&y=2#top", local_url(rng), typed_url(rng), authorize_url(rng)))
    return get(
        rng,
        rng.choice(("/login", "/out", "/share")),
        {rng.choice(("next", "url", "return_to", "continue", "u")): target},
    )


def _webhook_config(rng: Random) -> Draft:
    fields = {
        "target_url": webhook_url(rng),
        "secret": letters(rng, 32),
        "events": "push,issues.*",
        "schedule": rng.choice(_SCHEDULES),
    }
    return submit(rng, rng.choice(("/settings/hooks", "/api/v1/webhooks")), fields)


def _application(rng: Random) -> Draft:
    settings = {
        "client_name": "Bob's App (dev)",
        "redirect_uris": [local_url(rng), local_url(rng), "https://app.example.com/cb", "myapp://callback"],
        "web_origins": ["http://localhost:3000", "+"],
        "post_logout_redirect_uri": local_url(rng),
        "jwks_uri": "https://id.example.com/.well-known/jwks.json",
    }
    return post_json(rng, "/connect/register", settings)


def _authorize(rng: Random) -> Draft:
    return get(rng, "/oauth/authorize", authorize_parameters(rng))


def _callback(rng: Random) -> Draft:
    answer = {
        "code": rng.choice(
            (f"4/0A{letters(rng, 60)}", letters(rng, 40), f"M.C{rng.randint(1, 999)}_BAY.2.U.{uuid(rng)}")
        ),
        "state": rng.choice((hexadecimal(rng, 32), base64_text(rng, 30), local_url(rng))),
        "scope": "email profile https://api.example.com/auth/userinfo.profile openid",
        "iss": "https://accounts.example.com",
        "session_state": uuid(rng),
    }
    if chance(rng, 0.2):
        answer = {"error": "access_denied", "error_description": "User didn't consent; try again (AADSTS65004)"}
    return get(rng, "/auth/callback", answer)


def _token_exchange(rng: Random) -> Draft:
    fields = {
        "grant_type": "authorization_code",
        "code": letters(rng, 40),
        "redirect_uri": local_url(rng),
        "client_secret": letters(rng, 16) + "~" + letters(rng, 16),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": json_web_token(rng),
    }
    return form(rng, "/oauth/token", fields)


def _saml(rng: Random) -> Draft:
    """Both bindings of SAML 2.0; the deflated one in a stored block, the same whatever zlib there is."""
    message = (
        f'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_{hexadecimal(rng, 32)}"'
        f' Version="2.0" IssueInstant="2024-05-0{rng.randint(1, 9)}T10:00:00Z" AssertionConsumerServiceURL="{_ACS}">'
        '<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://app.example.com</saml:Issuer>'
        "</samlp:AuthnRequest>"
    ).encode()
    relay = rng.choice((page_url(rng), "ss:mem:" + hexadecimal(rng, 40)))
    if chance(rng, 0.5):
        response = base64.b64encode(message.replace(b"AuthnRequest", b"Response")).decode()
        return form(rng, "/saml/acs", {"SAMLResponse": response, "RelayState": relay})
    size = len(message)
    deflated = b"\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + message
    assert zlib.decompress(deflated, -15) == message
    return get(rng, "/saml/sso", {"SAMLRequest": base64.b64encode(deflated).decode(), "RelayState": relay})


def _file_path(rng: Random) -> Draft:
    return submit(
        rng, "/api/backup", {rng.choice(("path", "folder", "comment", "include")): pick(rng, _PATHS), "keep": "5"}
    )


def _expression(rng: Random) -> Draft:
    return submit(rng, "/rules", {"pattern": pick(rng, _EXPRESSIONS), "flags": "gi", "cron": rng.choice(_SCHEDULES)})


def _identifiers(rng: Random) -> Draft:
    makers = (
        uuid,
        iban,
        phone,
        licence_key,
        json_web_token,
        lambda rng: hexadecimal(rng, 64),
        lambda rng: base64_text(rng, 40),
    )
    names = ("id", "iban", "phone", "licence", "token", "sha256", "blob")
    chosen = rng.sample(range(len(names)), 3)
    return submit(rng, "/verify", {names[index]: makers[index](rng) for index in chosen})


def _picture(rng: Random) -> Draft:
    return post_json(rng, "/api/paste", {"image": data_url(rng), "caption": "it's me", "link": authorize_url(rng)})


def _cookies(rng: Random) -> Draft:
    return Draft(
        "GET", rng.choice(("/", "/account", "/feed.xml")), "", {"Cookie": "; ".join(cookies(rng) for _ in range(3))}
    )


def _base64(rng: Random) -> Draft:
    """Texts that travel in Base64: attachments, cursors, contents of repositories."""
    encoded = base64.b64encode(text(rng).encode()).decode()
    if chance(rng, 0.4):
        cursor = json.dumps(
            {"id": rng.randint(1, 10**6), "dir": "next", "name": rng.choice(("O'Neil", "Zoë", "<all>"))}
        )
        return get(rng, "/api/items", {"cursor": base64.urlsafe_b64encode(cursor.encode()).decode(), "limit": "20"})
    if chance(rng, 0.5):
        return post_json(rng, "/repos/a/b/contents/README.md", {"message": "Don't drop it", "content": encoded}, "PUT")
    return submit(rng, "/mail/send", {"attachment": encoded, "filename": "letter to O'Hara.txt", "to": email(rng)})


def _static(rng: Random) -> Draft:
    path = rng.choice(
        (
            f"/assets/app.{hexadecimal(rng, 8)}.js",
            f"/static/css/main~{hexadecimal(rng, 4)}.chunk.css",
            f"/products;color=blue;size={rng.randint(1, 50)}/list",
            f"/_next/data/{letters(rng, 21)}/index.json",
            f"/files/{uuid(rng)}/O'Brien (copy).pdf",
            f"/.well-known/acme-challenge/{letters(rng, 43)}",
            f"/wiki/Talk:C++/Archive_{rng.randint(1, 9)}",
            f"/@jane/post-{rng.randint(1, 999)}-don't-panic!",
            f"/u/café/{rng.randint(1, 99)},{rng.randint(1, 99)}",
            f"/tiles/{rng.randint(1, 18)}/{rng.randint(1, 999)}/{rng.randint(1, 999)}@2x.png",
        )
    )
    query = rng.choice(
        (
            "",
            f"v={hexadecimal(rng, 8)}",
            f"w=640&q=75&url=%2Fimg%2F{rng.randint(1, 99)}.png",
            str(rng.randint(1, 10**9)),
        )
    )
    part = {"Range": f"bytes={rng.randint(0, 999)}-"} if chance(rng, 0.2) else {}
    return Draft("GET", path, query, part)


def _other_method(rng: Random) -> Draft:
    """A preflight request, a look at the headers only, and the methods of REST."""
    path = f"/api/users/{rng.randint(1, 999)}/{uuid(rng)}"
    if chance(rng, 0.4):
        asked = {
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        return Draft("OPTIONS", path, "", {"Origin": "http://localhost:3000", **asked})
    return Draft(
        rng.choice(("HEAD", "DELETE", "GET")), path, rng.choice(("", "force=true", "soft=1&reason=it%27s+old"))
    )


TOPICS = (
    Topic("bookmark-url", "ordinary", 70, _bookmark),
    Topic("redirect-parameter", "ordinary", 60, _redirect),
    Topic("webhook-config", "ordinary", 60, _webhook_config),
    Topic("oauth-application", "ordinary", 20, _application),
    Topic("oauth-authorize", "ordinary", 50, _authorize),
    Topic("oauth-callback", "ordinary", 50, _callback),
    Topic("oauth-token", "ordinary", 30, _token_exchange),
    Topic("saml", "ordinary", 30, _saml),
    Topic("file-path", "ordinary", 70, _file_path),
    Topic("regular-expression", "technical", 40, _expression),
    Topic("identifiers", "ordinary", 70, _identifiers),
    Topic("picture-data-url", "ordinary", 20, _picture),
    Topic("cookies", "ordinary", 100, _cookies),
    Topic("base64-text", "ordinary", 50, _base64),
    Topic("other-method", "ordinary", 40, _other_method),
    Topic("static-path", "ordinary", 90, _static),
)
