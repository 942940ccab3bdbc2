"""Names of people, companies and products that look like code."""

from __future__ import annotations

from random import Random

from .encodings import Upload, form, get, multipart, post_json, submit
from .model import Draft, Topic
from .slots import pick
from .tokens import licence_key, password, phone, png
from .urls import typed_url

PEOPLE = [
    "O'Brien",
    "Conan O'Brien",
    "Sinéad O'Connor",
    "D'Angelo Russell",
    "N'Golo Kanté",
    "M'Baye Niang",
    "Jean-Luc O'Neill-D'Souza",
    "Null",
    "Christopher Null",
    "Drop",
    "Peter Drop",
    "Select",
    "Union",
    "Jean Union",
    "Order By",
    "Alter",
    "Insert, Mary",
    "Create",
    "Grant",
    "Hugh Grant",
    "Ulysses S. Grant",
    "Major Delete",
    "Where, Pat",
    "Like",
    "Having, J.",
    "Or",
    "Uri Or",
    "And",
    "Andy And",
    "Not",
    "Ping",
    "Wei Cat",
    "Ls",
    "Echo Kellum",
    "Bash, Matthew",
    "Curl, Robert F.",
    "Exec O'Tive",
    "Script, Eva",
    "Onclick, Ola",
    "True",
    "False",
    "Jennifer Null",
    "Smith; John",
    "Smith, John (Jr.)",
    'John "Jack" O\'Dowd',
    "Mary 'Polly' Jones",
    "Dwayne “The Rock” Johnson",
    "Ke$ha",
    "A$AP Rocky",
    "P!nk",
    "will.i.am",
    "Prince & the Revolution",
    "Ng Ô",
    "Ó hÓgáin",
    "Mac Giolla Phádraig",
    "van 't Hoff",
    "'s-Gravesande",
    "in 't Veld",
    "Qur'an, A.",
    "Sha'ban",
    "Ta'Kiyah",
    "L'Oréal Smith",
    "T'Challa",
    "Ts'ai Lun",
    "Ch'en",
    "Ka'ahumanu",
    "Liliʻuokalani",
    "Ma'afu",
    "X Æ A-12",
    "Wm. Shakespeare",
    "Cassius Marcellus Clay, Jr.",
    "Anne-Marie d'Arc",
    "Esq. O'Toole",
    "Dr. h.c. O'Grady",
    "J.R.R. Tolkien",
    "Sleep, Wayne",
    "Benchmark, Bo",
    "Char Margolis",
    "Cast, P.C.",
    "Table, Ann",
    "Values, Dee",
    "From, Al",
    "Into, Ray",
    "Admin O'Hare",
]
COMPANIES = (
    "C|Net",
    *[
        "AT&T",
        "Smith & Sons",
        "Ernst & Young; Co",
        "Procter & Gamble",
        "Yahoo!",
        "<3 Bakery",
        "7-Eleven",
        "E*TRADE",
        "Ben & Jerry's",
        "Macy's",
        'Toys "R" Us',
        "Dick's Sporting Goods",
        "A&W; Root Beer",
        "H&M",
        "Marks & Spencer",
        "Barnes & Noble",
        'B&B "Zur Post"',
        "Bed Bath & Beyond",
        "M&M's",
        "Arm & Hammer",
        "Johnson & Johnson",
        "Rolls-Royce plc",
        "Rock & Roll <Records>",
        "Cat & Dog Hotel",
        "Drop & Shop",
        "Select & Save",
        "Union & Sons",
        "Exec/Jet",
        ".NET Foundation",
        "node.js GmbH",
        "a.s.r.",
        "C++ Consulting",
        "F# Music",
        "Script & Co.",
        "$ave-A-Lot",
        "100% Pur",
        "Who's Who?",
        "What's-it.com",
        "Chez l'Ami",
        "L'Occitane en Provence",
        "Moët & Chandon",
        "S&P 500",
        "R&D (EMEA)",
        "3M",
        "8*8 Inc.",
        "!Audience",
        "=Equals=",
        "(RED)",
        "[yellow tail]",
        "{curly} cafe",
        "Bang & Olufsen",
        "Black+Decker",
        "Hudson's Bay",
        "Sotheby's",
        "--dash-- Couriers",
        "#1 Nails",
        "Tab\\Slash Ltd",
        "O'Reilly Media",
        "Command & Conquer",
        "Ping An",
        "Curl Up & Dye",
        "Table 4 Two",
        "Null & Void",
        "Where's Waldo LLC",
        "Drop Table Tennis Club",
        "Union Select Insurance",
        "Alter Ego, S.L.",
        "Insert Coin Arcade",
        "Like & Subscribe",
        "Sleep(ing) Beauty",
        "Group By Design",
        "Order By Phone Pizza",
        "Having Fun; Inc",
        "Or Equal",
        "On Load Logistics",
        "Body & Soul",
        "Iframe My Art",
        "Img Source",
    ],
)
_ROLES = "CEO", "R&D lead", "C++/C# developer", "QA -- manual", "Buyer (men's wear)", "sys/net admin", "VP, Sales & Ops"
_SEARCHES = (
    "@{person}'s address",
    "biography of @{who}",
    "who is @{who}?",
    '"@{who}" AND obituary',
    "@{who} @{firm}",
    "@{firm} opening hours",
    "jobs at @{firm}",
    "is @{firm} better than @{firm}",
)
_FILES = (
    "O'Brien — CV (final).pdf",
    "invoice #4471; paid.pdf",
    "C&A price list 50%.xlsx",
    "Drop & Co - select *new*.docx",
    "..hidden.notes.txt",
    "passwd change form.pdf",
    "résumé “new”.pdf",
    "履歴書.docx",
    "scan_2024-01-02T10:33:00.png",
    "a=b+c $5 {1}.png",
    "etc.passport-photo.png",
)


def _person_form(rng: Random) -> Draft:
    fields = {"last_name": rng.choice(PEOPLE), "maiden_name": rng.choice(PEOPLE), "phone": phone(rng), "q": "1"}
    return submit(rng, rng.choice(("/patients", "/guests/new", "/api/contacts")), fields)


def _one_name(rng: Random) -> Draft:
    return submit(rng, "/people", {rng.choice(("name", "surname", "q", "user")): rng.choice(PEOPLE)})


def _company_form(rng: Random) -> Draft:
    fields = {
        "company": rng.choice(COMPANIES),
        "role": rng.choice(_ROLES),
        "contact": rng.choice(PEOPLE),
        "web": typed_url(rng),
    }
    return submit(rng, rng.choice(("/leads", "/api/crm/accounts", "/vendor/apply")), fields)


def _one_company(rng: Random) -> Draft:
    return submit(rng, "/companies", {rng.choice(("company", "q", "employer")): rng.choice(COMPANIES)})


def _name_search(rng: Random) -> Draft:
    stock = {"who": PEOPLE, "firm": COMPANIES}
    return get(rng, "/search", {"q": pick(rng, _SEARCHES, stock), "hl": "en"})


def _change_password(rng: Random) -> Draft:
    new = password(rng)
    fields = {
        "old_password": password(rng),
        "new_password1": new,
        "new_password2": new,
        "hint": "mother's maiden name?",
    }
    return submit(rng, "/account/password", fields)


def _vault(rng: Random) -> Draft:
    entry = {
        "title": rng.choice(COMPANIES),
        "user": rng.choice(PEOPLE),
        "secret": password(rng),
        "licence": licence_key(rng),
    }
    return post_json(rng, "/api/vault/items", {"items": [entry | {"previous": [password(rng), password(rng)]}]})


def _file_name(rng: Random) -> Draft:
    upload = Upload("file", rng.choice(_FILES), "application/octet-stream", png(rng))
    return multipart(rng, "/documents", {"owner": rng.choice(PEOPLE), "firm": rng.choice(COMPANIES)}, [upload])


def _guests(rng: Random) -> Draft:
    guests = [(f"guests[{number}][name]", name) for number, name in enumerate(rng.sample(PEOPLE, rng.randint(2, 9)))]
    return form(rng, "/event/12/guests", [*guests, ("tags[]", "a"), ("tags[]", "b&c")])


TOPICS = (
    Topic("name-form", "ordinary", 80, _person_form),
    Topic("name-alone", "ordinary", 110, _one_name),
    Topic("company-form", "ordinary", 70, _company_form),
    Topic("company-alone", "ordinary", 110, _one_company),
    Topic("name-search", "ordinary", 80, _name_search),
    Topic("password-change", "ordinary", 100, _change_password),
    Topic("password-vault", "ordinary", 60, _vault),
    Topic("file-name", "ordinary", 40, _file_name),
    Topic("guest-list", "ordinary", 40, _guests),
)
