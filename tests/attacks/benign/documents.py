"""XML documents, pictures, archives and other files, and large forms."""

from __future__ import annotations

from random import Random
from xml.sax.saxutils import escape, quoteattr

from .encodings import Upload, form, hexadecimal, letters, multipart, post_json, post_text
from .model import Draft, Topic
from .names import COMPANIES, PEOPLE
from .people import any_language, text
from .tokens import jpeg, pdf, png, uuid, zip_file
from .urls import page_url

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Drawing programs write it to this day (SVG 1.1, appendix A).
_SVG_DOCTYPE = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _soap(rng: Random) -> Draft:
    envelope = (
        f'{_DECLARATION}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Header/><soap:Body>'
        f'<m:GetQuote xmlns:m="http://www.example.org/stock"><m:Company>{escape(rng.choice(COMPANIES))}</m:Company>'
        f'<m:Name xsi:type="xsd:string">{escape(rng.choice(PEOPLE))}</m:Name>'
        f"<m:Note><![CDATA[{text(rng, 2)} <3]]></m:Note>"
        "</m:GetQuote></soap:Body></soap:Envelope>"
    )
    draft = post_text("/services/StockService.asmx", envelope, "text/xml; charset=utf-8")
    draft.headers["SOAPAction"] = '"http://www.example.org/stock/GetQuote"'
    return draft


def _feed(rng: Random) -> Draft:
    items = "".join(
        f"<item><title>{escape(rng.choice(any_language(rng).words))}</title><link>{escape(page_url(rng))}</link>"
        f"<description>{escape(f'<p>{text(rng, 2)}</p><br/>')}</description>"
        f'<guid isPermaLink="false">{uuid(rng)}</guid></item>'
        for _ in range(rng.randint(1, 6))
    )
    channel = f"<channel><title>Bob's Blog</title><!-- made by hand -->{items}</channel>"
    feed = f'{_DECLARATION}<rss version="2.0">{channel}</rss>'
    return post_text("/feeds/import", feed, rng.choice(("application/rss+xml", "application/xml", "text/xml")))


def _sitemap(rng: Random) -> Draft:
    urls = "".join(
        f"<url><loc>{escape(page_url(rng))}</loc><lastmod>2024-05-01</lastmod></url>" for _ in range(rng.randint(2, 20))
    )
    sitemap = f'{_DECLARATION}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    return multipart(rng, "/sitemaps", {"site": "1"}, [Upload("file", "sitemap.xml", "text/xml", sitemap.encode())])


def _xml_rpc(rng: Random) -> Draft:
    call = (
        f"{_DECLARATION}<methodCall><methodName>metaWeblog.newPost</methodName><params><param><value><string>"
        f"{escape(text(rng))}</string></value></param><param><value><struct><member><name>title</name><value>"
        f"{escape(rng.choice(PEOPLE))}</value></member></struct></value></param></params></methodCall>"
    )
    return post_text("/RPC2", call, "text/xml")


def _plain_xml(rng: Random) -> Draft:
    language = any_language(rng)
    order = (
        f"{_DECLARATION}<order id={quoteattr(letters(rng, 8))} buyer={quoteattr(rng.choice(COMPANIES))}>\n"
        f"  <name>{escape(language.name(rng))}</name>\n  <street>{escape(rng.choice(language.streets))}</street>\n"
        f'  <note xml:lang="x">{escape(text(rng))} &#8364;&#x20AC;&apos;&quot;</note>\n</order>\n'
    )
    return post_text("/orders", order, "application/xml")


def _drawing(rng: Random) -> Draft:
    shapes = "".join(
        f'<path d="M{rng.randint(0, 99)} {rng.randint(0, 99)}c-{rng.random():.2f},5 3-4 8.1,0z"'
        f' fill="#{hexadecimal(rng, 3)}" style="stroke:none;opacity:.{rng.randint(1, 9)}"'
        f' transform="translate(3 4) rotate(-{rng.randint(1, 90)})"/>'
        for _ in range(rng.randint(1, 9))
    )
    svg = (
        f"{_DECLARATION}{rng.choice(('', _SVG_DOCTYPE))}"
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 24 24">'
        f"<title>{escape(rng.choice(COMPANIES))}</title><style>.a{{fill:url(#g)}} .a > b{{x:1}}</style>"
        f'<defs><linearGradient id="g"/></defs>{shapes}<use xlink:href="#g"/></svg>'
    )
    return multipart(
        rng, "/logo", {"alt": "it's our logo"}, [Upload("logo", "logo.svg", "image/svg+xml", svg.encode())]
    )


def _binary(rng: Random) -> Draft:
    uploads = (
        Upload("file", "scan.pdf", "application/pdf", pdf(rng)),
        Upload("file", "写真.png", "image/png", png(rng)),
        Upload("photo", "IMG_0042.JPG", "image/jpeg", jpeg(rng)),
        Upload("file", "Brief an O'Neil.docx", _OFFICE, zip_file(rng)),
        Upload("file", "archive.zip", "application/zip", zip_file(rng)),
    )
    return multipart(
        rng, "/upload", {"folder": "/Photos/2024", "note": text(rng, 1)}, rng.sample(uploads, rng.randint(1, 2))
    )


def _raw_binary(rng: Random) -> Draft:
    make, content_type = rng.choice(
        ((png, "image/png"), (jpeg, "image/jpeg"), (zip_file, "application/octet-stream"), (pdf, "application/pdf"))
    )
    return Draft("PUT", f"/files/{uuid(rng)}", "", {"Content-Type": content_type}, make(rng))


def _large_form(rng: Random) -> Draft:
    fields = [(f"answer[{n}][text]", any_language(rng).text(rng, 2)) for n in range(rng.randint(20, 120))]
    return form(rng, "/survey", [("__VIEWSTATE", f"/wEPDwUK{letters(rng, 800)}=="), ("survey", "12"), *fields])


def _nested_form(rng: Random) -> Draft:
    language = any_language(rng)
    fields = [
        ("utf8", "✓"),
        ("_method", "patch"),
        ("authenticity_token", f"{letters(rng, 43)}+/{letters(rng, 40)}=="),
        ("user[profile_attributes][name]", language.name(rng)),
        ("user[tags][]", rng.choice(language.words)),
        ("user[tags][]", "rock 'n' roll"),
        ("user[roles][0][name]", "R&D"),
        ("a.b.c", "1;2"),
        ("items[x y]", "<none>"),
        ("commit", "Save & exit"),
    ]
    return form(rng, "/users/1", fields)


def _machine_body(rng: Random) -> Draft:
    """Bodies of programs: protocol buffers, MessagePack, and what is compressed on the way."""
    content_type, first = rng.choice(
        (
            ("application/x-protobuf", b"\x0a"),
            ("application/grpc-web+proto", b"\0\0\0\0"),
            ("application/msgpack", b"\x82\xa4name"),
            ("application/octet-stream", b""),
            ("application/json", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        )
    )
    draft = Draft("POST", "/v1/traces", "", {"Content-Type": content_type}, first + rng.randbytes(rng.randint(20, 900)))
    if content_type == "application/json":
        draft.headers["Content-Encoding"] = "gzip"
    return draft


def _large_text(rng: Random) -> Draft:
    lines = (f"{number}. {any_language(rng).text(rng, 4)}" for number in range(rng.randint(600, 1500)))
    book = Upload("file", "the book.txt", "text/plain", "\n".join(lines).encode())
    return multipart(rng, "/library", {"title": "Don't Panic"}, [book])


def _editor_state(rng: Random) -> Draft:
    """The document tree of a rich-text editor, lists in lists."""
    node: dict[str, object] = {"type": "text", "text": text(rng), "marks": [{"type": "link", "href": page_url(rng)}]}
    for _ in range(rng.randint(5, 40)):
        node = {"type": "list_item", "content": [{"type": "text", "text": rng.choice(any_language(rng).words)}, node]}
    return post_json(rng, "/api/documents/12/steps", {"version": 7, "doc": {"type": "doc", "content": [node]}}, "PATCH")


TOPICS = (
    Topic("soap", "ordinary", 40, _soap),
    Topic("rss-import", "ordinary", 20, _feed),
    Topic("sitemap-upload", "ordinary", 15, _sitemap),
    Topic("xml-rpc", "ordinary", 20, _xml_rpc),
    Topic("xml-order", "ordinary", 40, _plain_xml),
    Topic("svg-upload", "ordinary", 25, _drawing),
    Topic("binary-upload", "ordinary", 50, _binary),
    Topic("binary-body", "ordinary", 20, _raw_binary),
    Topic("machine-body", "ordinary", 40, _machine_body),
    Topic("large-text", "ordinary", 6, _large_text),
    Topic("editor-state", "ordinary", 30, _editor_state),
    Topic("large-form", "ordinary", 15, _large_form),
    Topic("nested-form", "ordinary", 50, _nested_form),
)
