"""What people enter in forms, in many languages: sign-up to chat."""

from __future__ import annotations

from random import Random
from urllib.parse import quote_plus

from .encodings import Upload, chance, form, get, letters, multipart, post_json, submit
from .languages import Language
from .model import Draft, Topic
from .tokens import base64_text, data_url, iban, jpeg, licence_key, password, phone, uuid
from .urls import typed_url
from .words_latin import ENGLISH, FRENCH, GERMAN, LATIN, POLISH
from .words_world import CHINESE, GREEK, JAPANESE, KOREAN, RUSSIAN, WORLD

_EMOJI = [
    "😀",
    "🎉🎉",
    "👍🏽",
    "❤️",
    "👩\u200d👩\u200d👧\u200d👦",
    "🏳️\u200d🌈",
    "☕️",
    "(╯°□°)╯︵┻━┻",
    "¯\\_(ツ)_/¯",
    "<3",
    ":-D",
    ";)",
    "^_^",
    ">:(",
    "=)",
    "xD",
    "o_O",
    "\\o/",
]
# Marks that texts written right to left hold: RLM, LRM, embeddings and isolates.
_MARKS = "\u200f", "\u200e", "\u202b\u202c", "\u2067\u2069", "\u061c"
_DOMAINS = "example.com", "mail.example.org", "exämple.de", "example.co.jp", "o-brien.example"
_LEGACY = (
    (FRENCH, "iso-8859-1"),
    (GERMAN, "windows-1252"),
    (POLISH, "iso-8859-2"),
    (RUSSIAN, "windows-1251"),
    (RUSSIAN, "koi8-r"),
    (GREEK, "iso-8859-7"),
    (JAPANESE, "shift_jis"),
    (JAPANESE, "euc-jp"),
    (KOREAN, "euc-kr"),
    (CHINESE, "gb18030"),
)
_PLACEHOLDERS = "", "-", "--", "n/a", "N/A", "none", "None", "NULL", "null", "(none)", "???", "...", "/", "*", "#", "0"


def any_language(rng: Random) -> Language:
    """A language; those not written in Latin letters come up more often."""
    return rng.choice(WORLD if chance(rng, 0.6) else LATIN)


def text(rng: Random, most: int = 4) -> str:
    """Sentences of a language, sometimes with emoji, typographic quotes, combining characters or marks of direction."""
    written = any_language(rng).text(rng, most)
    mark, emoji = rng.choice(_MARKS), rng.choice(_EMOJI)
    decorated = (
        f"{written} {emoji}",
        f"“{written}” — ‘{emoji}’",
        f"{mark}{written}{mark}",
        f"Zalgo e\u0301\u0327 n\u0303: {written}\u200b",
        written.replace(". ", ".\r\n\r\n"),
        f"{written}\n\n{ENGLISH.text(rng, 2)}",
    )
    return rng.choice(decorated) if chance(rng, 0.6) else written


def email(rng: Random) -> str:
    """An address, with the punctuation that RFC 5322 allows."""
    local = rng.choice(
        (
            "jane.doe",
            "o'brien",
            "jane+shop",
            "first.last+tag=news",
            "d'angelo_76",
            "x/y",
            "{me}",
            "a&b",
            '"john doe"',
            "пётр",
            "drop.in",
            "union-rep",
            "info",
        )
    )
    return f"{local}{rng.randint(1, 999)}@{rng.choice(_DOMAINS)}"


def _signup(rng: Random) -> Draft:
    language = any_language(rng)
    fields = {
        rng.choice(("name", "full_name", "displayName")): language.name(rng),
        "email": email(rng),
        "password": password(rng),
        "city": language.cities[0],
        "newsletter": rng.choice(("on", "1", "false")),
        "referrer": typed_url(rng),
    }
    if chance(rng, 0.4):
        fields |= {
            "csrfmiddlewaretoken": letters(rng, 64),
            "g-recaptcha-response": f"03A{letters(rng, 180)}_-{letters(rng, 40)}",
        }
    return submit(rng, rng.choice(("/signup", "/accounts/register/", "/api/v1/users", "/wp-login.php")), fields)


def _login(rng: Random) -> Draft:
    fields = {
        rng.choice(("username", "email", "login")): email(rng),
        "password": password(rng),
        "next": "/account?tab=1",
    }
    return submit(rng, rng.choice(("/login", "/users/sign_in", "/api/auth/token")), fields)


def _profile(rng: Random) -> Draft:
    language = any_language(rng)
    fields = {
        "display_name": language.name(rng),
        "bio": text(rng),
        "website": typed_url(rng),
        "pronouns": rng.choice(("she/her", "he/him", "they/them", "-", "any/all")),
        "handle": f"@{letters(rng, 8).lower()}",
        "birthday": f"{rng.randint(1940, 2008)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}",
    }
    if chance(rng, 0.3):
        return multipart(rng, "/profile", fields, [Upload("avatar", "me & the cat (1).jpg", "image/jpeg", jpeg(rng))])
    if chance(rng, 0.2):
        return post_json(rng, "/api/profile", {**fields, "avatar": data_url(rng)}, "PATCH")
    return submit(rng, "/profile", fields)


def _address(rng: Random) -> Draft:
    language = any_language(rng)
    fields = {
        "address[name]": language.name(rng),
        "address[line1]": rng.choice(language.streets),
        "address[line2]": rng.choice(("", "c/o O'Hara", "Apt #4; ring twice", "2nd floor (left)", "Bldg. C & D", "-")),
        "address[city]": rng.choice(language.cities),
        "address[postal_code]": rng.choice(("SW1A 1AA", "75008", "D-10115", "〒100-0001", "00-950", "1012 AB")),
        "address[phone]": phone(rng),
        "notes": rng.choice(
            (text(rng, 2), "Gate code: *1234#", "leave w/ neighbour if >1 parcel", "dog -- don't ring!")
        ),
    }
    return submit(rng, "/account/addresses", fields)


def _checkout(rng: Random) -> Draft:
    language = any_language(rng)
    lines = [
        {
            "sku": f"{letters(rng, 3).upper()}-{rng.randint(1, 999)}/{rng.choice('SML')}",
            "title": rng.choice(language.words),
            "qty": 1,
        }
        for _ in range(rng.randint(1, 4))
    ]
    order = {
        "customer": {"name": language.name(rng), "email": email(rng), "iban": iban(rng)},
        "lines": lines,
        "total": f"€{rng.randint(1, 99)},{rng.randint(10, 99)}",
        "coupon": rng.choice(("SAVE10%", "X-MAS'24", "BUY1&GET1", "<NONE>", licence_key(rng))),
        "gift_note": text(rng, 2),
        "token": f"tok_{letters(rng, 24)}",
    }
    if chance(rng, 0.6):
        return post_json(rng, "/api/checkout", order)
    flat = {f"line[{number}][sku]": str(line["sku"]) for number, line in enumerate(lines)}
    return form(rng, "/checkout", flat | {"note": str(order["gift_note"]), "coupon": str(order["coupon"])})


def _comment(rng: Random) -> Draft:
    fields = {
        "author": any_language(rng).name(rng),
        "email": email(rng),
        "comment": text(rng),
        "post_id": str(rng.randint(1, 9999)),
    }
    return submit(rng, f"/blog/{rng.randint(1, 999)}/comments", fields)


def _review(rng: Random) -> Draft:
    language = any_language(rng)
    fields = {
        "title": rng.choice(language.words),
        "review": text(rng, 5),
        "rating": str(rng.randint(1, 5)),
        "pros": rng.choice(language.words),
        "cons": rng.choice((*_PLACEHOLDERS, language.text(rng, 1))),
    }
    return submit(rng, f"/products/{rng.randint(1, 9999)}/reviews", fields)


def _search(rng: Random) -> Draft:
    language = any_language(rng)
    word = rng.choice(language.words)
    query = rng.choice(
        (
            word,
            f'"{word}"',
            f"{word} -{rng.choice(language.words)}",
            f"{word} OR {rng.choice(language.words)}",
            f"{word} AND {rng.choice(language.cities)}",
            f"{word} site:example.com filetype:pdf",
            f"price:>{rng.randint(1, 99)} {word}",
            f"({word}) {rng.randint(1, 99)}*{rng.randint(1, 99)} cm",
            f"{word}; {rng.choice(language.cities)}",
        )
    )
    return get(
        rng,
        rng.choice(("/search", "/suche", "/s", "/api/search")),
        {"q": query, "page": "1", "sort": "-price,name", "utf8": "✓"},
    )


def _support(rng: Random) -> Draft:
    fields = {
        "subject": rng.choice(("Re: Order #", "FW: Ticket ", "Problem with invoice ")) + str(rng.randint(1000, 99999)),
        "message": f"{text(rng)}\n\n-- \n{any_language(rng).name(rng)}\n{phone(rng)}",
        "email": email(rng),
        "serial": licence_key(rng),
        "priority": "high",
    }
    return submit(rng, rng.choice(("/support/tickets", "/api/v2/requests.json", "/hc/en-us/requests/new")), fields)


def _contact(rng: Random) -> Draft:
    fields = {
        "your-name": any_language(rng).name(rng),
        "your-email": email(rng),
        "your-phone": phone(rng),
        "your-message": text(rng),
        "_wpcf7_unit_tag": f"wpcf7-f{rng.randint(1, 999)}-p{rng.randint(1, 99)}-o1",
    }
    return submit(rng, "/contact", fields)


def _chat(rng: Random) -> Draft:
    message = {
        "room": uuid(rng),
        "text": f"{text(rng, 2)} {rng.choice(_EMOJI)}",
        "mentions": [f"@{any_language(rng).given[0]}"],
        "nonce": base64_text(rng, 12),
        "sent": 1700000000 + rng.randint(1, 10**7),
    }
    return post_json(rng, "/api/chat/messages", message)


def _placeholder(rng: Random) -> Draft:
    fields = {
        "middle_name": rng.choice(_PLACEHOLDERS),
        "company": rng.choice(_PLACEHOLDERS),
        "fax": rng.choice(_PLACEHOLDERS),
    }
    return submit(
        rng, "/account/details", fields | {"first_name": rng.choice(ENGLISH.given), "emoji": rng.choice(_EMOJI)}
    )


def _localized_path(rng: Random) -> Draft:
    language = any_language(rng)
    slug = rng.choice(language.words).replace(" ", "-").replace("/", "-")
    return Draft("GET", f"/{language.code}/{rng.choice(language.cities)}/{slug}", f"page={rng.randint(1, 9)}")


def _legacy_charset(rng: Random) -> Draft:
    """A form of an old page, in the charset of its language."""
    language, charset = rng.choice(_LEGACY)
    pairs = {"name": language.name(rng), "ort": rng.choice(language.cities), "text": language.text(rng, 3)}
    body = "&".join(f"{name}={quote_plus(value, encoding=charset, errors='replace')}" for name, value in pairs.items())
    content_type = f"application/x-www-form-urlencoded; charset={charset}"
    return Draft("POST", "/guestbook.cgi", "", {"Content-Type": content_type}, body.encode())


TOPICS = (
    Topic("signup-form", "ordinary", 160, _signup),
    Topic("login-form", "ordinary", 120, _login),
    Topic("profile-form", "ordinary", 110, _profile),
    Topic("address-form", "ordinary", 130, _address),
    Topic("checkout", "ordinary", 110, _checkout),
    Topic("comment", "ordinary", 180, _comment),
    Topic("review", "ordinary", 150, _review),
    Topic("search", "ordinary", 240, _search),
    Topic("support-ticket", "ordinary", 110, _support),
    Topic("contact-form", "ordinary", 90, _contact),
    Topic("chat-message", "ordinary", 120, _chat),
    Topic("placeholder", "ordinary", 50, _placeholder),
    Topic("legacy-charset", "ordinary", 40, _legacy_charset),
    Topic("localized-path", "ordinary", 70, _localized_path),
)
