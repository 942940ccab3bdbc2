"""Addresses of pages, of local development, of web hooks and of logins elsewhere."""

from __future__ import annotations

from random import Random
from urllib.parse import quote, urlencode

from .encodings import hexadecimal, letters

_HOSTS = ("www.example.com", "shop.example.org", "example.co.uk:8443", "xn--mller-kva.example", "müller.example")
_LOCAL = ("http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:5173", "http://host.docker.internal:9000")
_PRIVATE = (
    "http://192.168.1.{n}:8123/api/webhook/{token}",
    "http://10.0.{n}.5:8080/hooks/build",
    "https://172.16.{n}.9/ci/notify?token={token}",
    "http://nas.local:5000/webman/index.cgi",
    "http://jenkins:8080/job/deploy%20all/build?delay=0sec",
    "http://grafana.monitoring.svc.cluster.local:3000/d/{token}/nodes?orgId=1&from=now-1h&to=now",
)
_PAGES = (
    "/",
    "/a/b/c.html#section-{n}",
    "/wiki/O%27Reilly_(surname)",
    "/products;color=red;size={n}/details",
    "/search?q=select+a+plan&sort=-price,name&page={n}",
    "/list?filter[status]=open&filter[tag][]=a&filter[tag][]=b&page[size]={n}",
    "/watch?v={token}&t=1h{n}m5s&list=PL{token}",
    "/maps/@48.8583701,2.2919064,{n}.5z/data=!3m1!4b1!4m6!3m5!1s0x47e66e2964e34e2d:0x8ddca9ee380ef7e0",
    "/?utm_source=newsletter&utm_medium=e-mail&utm_campaign=50%25+off+%26+more&utm_content={token}",
    "/path/with%20space/naïve/文章?id={n}",
    "/~jane/cgi-bin/view.cgi?file=report-{n}.pdf",
    "/img/resize:fit:{n}:300/plain/https://cdn.example.com/a%20b.png@webp",
    "/login?next=/account/orders%3Fpage%3D{n}",
    "/share?url=https%3A%2F%2Fexample.net%2Fpost%3Fid%3D{n}%26ref%3Dhome&text=Look%20at%20this%21",
    "/p/drop-table-for-4-people-{n}/dp/B0{token}/ref=sr_1_3?crid={token}&keywords=drop+leaf+table&qid={n}",
    "/index.php?option=com_content&view=article&id={n}:union-select-committee&catid=9",
    "/web/20240101000000*/https://example.com/page?id={n}",
    "/#/users/{n}/edit?tab=profile",
    "/#:~:text=the%20quick-,brown%20fox",
)


def _completed(rng: Random, template: str) -> str:
    return template.replace("{n}", str(rng.randint(2, 250))).replace("{token}", letters(rng, 11))


def page_url(rng: Random) -> str:
    """A page somewhere on the web, its host in any form but its letters ASCII."""
    path = quote(_completed(rng, rng.choice(_PAGES)), safe="/?#&=;:@!$'()*+,[]~%-._")
    return f"{rng.choice(('http', 'https'))}://{rng.choice(_HOSTS[:4])}{path}"


def typed_url(rng: Random) -> str:
    """A page as people paste it, also without a scheme or with letters of their own."""
    page = _completed(rng, rng.choice(_PAGES))
    return rng.choice(("https://", "http://", "", "//")) + rng.choice(_HOSTS) + page


def local_url(rng: Random) -> str:
    """An application on the developer's machine."""
    return rng.choice(_LOCAL) + rng.choice(
        ("/callback", "/auth/callback?provider=github", "/", "/oauth2-redirect.html")
    )


def webhook_url(rng: Random) -> str:
    """What an administrator enters as a web hook: often a host of a private network."""
    public = f"https://hooks.example.com/services/T{letters(rng, 8)}/B{letters(rng, 8)}/{letters(rng, 24)}"
    return rng.choice(
        (public, _completed(rng, rng.choice(_PRIVATE)), f"{rng.choice(_LOCAL)}/hook?id={rng.randint(1, 99)}")
    )


def authorize_url(rng: Random) -> str:
    """An authorization request (RFC 6749, 4.1.1) whose answer goes to `redirect_uri`."""
    return f"https://login.example.com/oauth2/v2.0/authorize?{urlencode(authorize_parameters(rng))}"


def authorize_parameters(rng: Random) -> dict[str, str]:
    """The parameters of an OpenID Connect authorization request with PKCE (RFC 7636)."""
    return {
        "response_type": rng.choice(("code", "code id_token", "token")),
        "client_id": letters(rng, 20),
        "redirect_uri": rng.choice((local_url(rng), "com.example.app:/oauth2redirect", "urn:ietf:wg:oauth:2.0:oob")),
        "scope": "openid profile email offline_access https://graph.example.com/User.Read",
        "state": rng.choice((hexadecimal(rng, 32), f"/dashboard?tab=2&x={letters(rng, 4)}")),
        "code_challenge": letters(rng, 43),
        "code_challenge_method": "S256",
        "prompt": rng.choice(("select_account", "none", "login consent")),
    }
