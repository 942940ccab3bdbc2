"""Text in markup languages and file formats: what editors, wikis, mail and log viewers send."""

# ruff: noqa: E501  A snippet stays in one piece, however long its line is.

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from .encodings import Upload, multipart, post_json, post_text, submit
from .model import Draft, Topic
from .people import any_language, email, text
from .slots import fill, pick, some
from .urls import local_url, page_url
from .words_latin import ENGLISH

_STYLES = (
    "color: red",
    "text-align:center;margin:0 auto",
    "font-family:&quot;Open Sans&quot;,sans-serif",
    "width: calc(100% - 3px)",
)


def _rich_text(rng: Random) -> str:
    language = any_language(rng)
    word = rng.choice(language.words)
    blocks = (
        f"<p>{language.text(rng)}</p>",
        f'<p style="{rng.choice(_STYLES)}"><b>{word}</b>&nbsp;<i>&amp;</i> <span class="x">{language.text(rng, 1)}</span><br/></p>',
        f'<a href="{page_url(rng)}" target="_blank" rel="noopener">{word}</a>',
        f'<img src="/media/{rng.randint(1, 999)}/a%20b.jpg" alt="{word}" width="{rng.randint(10, 999)}" loading="lazy">',
        f"<h2 id='s{rng.randint(1, 9)}'>{word}</h2><ul><li>{word}</li><li><em>{language.text(rng, 1)}</em></li></ul>",
        f"<table><tbody><tr><th>#</th><td>{word}</td></tr></tbody></table><hr>",
        f'<blockquote class="quote">{language.text(rng, 2)}</blockquote><!-- /wp:quote -->',
        f'<!-- wp:paragraph {{"align":"center"}} --><p class="has-text-align-center">{word}</p><!-- /wp:paragraph -->',
        '<figure class="media"><oembed url="https://video.example.com/watch?v=abc"></oembed></figure>',
        f'<div data-id="{rng.randint(1, 99)}" contenteditable="true" dir="auto">{word}<br></div>',
        f'<p class="MsoNormal"><o:p></o:p><font face="Arial" size=2>{word}</font></p>',
        f"<a href='mailto:{email(rng).replace(chr(39), '')}?subject=Hi%20there'>mail</a>",
    )
    return "".join(rng.sample(blocks, rng.randint(2, 6)))


def _markdown(rng: Random) -> str:
    language = any_language(rng)
    blocks = (
        f"# {rng.choice(language.words)}",
        fill(rng, "## Install `@{func}`\n\n```bash\npip install @{name} && cd @{dir}; ls\n```"),
        f"* {language.text(rng, 1)}\n* **{language.text(rng, 1)}**\n  1. ~~no~~ `x < y`",
        f'[{rng.choice(language.words)}]({page_url(rng)} "it\'s a title") ![alt](../img/a.png)',
        "| a | b |\n|---|:-:|\n| `1 || 2` | 3 &lt; 4 |",
        f"> {language.text(rng, 2)}\n>\n> -- {language.name(rng)}",
        f'---\ntitle: "{rng.choice(language.words)}"\ndate: 2024-05-01\n---',
        "- [x] done\n- [ ] to do; see #12 & @bob",
        "Footnote[^1] and <kbd>Ctrl</kbd>+<kbd>C</kbd>, $e^{i\\pi} + 1 = 0$\n\n[^1]: it's here",
        f"<details><summary>More</summary>\n\n{language.text(rng)}\n\n</details>",
    )
    return "\n\n".join(rng.sample(blocks, rng.randint(2, 6)))


def _mail(rng: Random) -> str:
    writer, reader = any_language(rng), ENGLISH
    quoted = "\n".join(f"> {line}" for line in (reader.text(rng, 3) + "\n\n-- \n" + reader.name(rng)).splitlines())
    return (
        f'From: "{reader.name(rng)}" <{email(rng)}>\r\nTo: {email(rng)}; {email(rng)}\r\nSubject: Re: [list] {rng.choice(writer.words)}\r\n'
        f"Message-ID: <{rng.randint(1, 10**9)}.{rng.randint(1, 99)}@mail.example.com>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{text(rng)}\n\nOn Tue, May 7, 2024 at 10:0{rng.randint(0, 9)} AM {reader.name(rng)} <{email(rng)}> wrote:\n{quoted}\n>> older\n\n"
        f"-- \nRegards,\n{writer.name(rng)}\n{'_' * 30}\nThis e-mail is confidential; if you're not the recipient, delete it & tell us."
    )


def _wiki(rng: Random) -> str:
    language = any_language(rng)
    return (
        f"== {rng.choice(language.words)} ==\n'''{language.name(rng)}''' (born {rng.randint(1, 28)} May 1970) is a ''singer''.<ref name=\"a\">"
        f"{{{{cite web|url={page_url(rng)}|title={language.text(rng, 1)}|access-date=2024-05-01}}}}</ref>\n* [[{rng.choice(language.cities)}|"
        f'home]] {{{{citation needed}}}}\n{{| class="wikitable"\n|-\n! a !! b\n|-\n| 1 || 2\n|}}\n<br /><nowiki>[[x]]</nowiki> ~~~~\n'
        f"[[File:A b.jpg|thumb|{{{{PAGENAME}}}}]]\n#REDIRECT [[{rng.choice(language.cities)}]]\n{language.text(rng)}"
    )


def _bbcode(rng: Random) -> str:
    language = any_language(rng)
    return (
        f'[quote="{language.name(rng)}"]{language.text(rng)}[/quote]\n[b]{rng.choice(language.words)}[/b] [url={page_url(rng)}]link[/url] '
        f"[img]https://img.example.com/{rng.randint(1, 999)}.gif[/img] [color=#f00][size=4]{language.text(rng, 1)}[/size][/color] :rolleyes:"
    )


_LATEX = (
    "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\begin{document}\n@{name} \\& sons, $x_@{n} < y^{2}$ \\% \\input{@{file}}\n\\end{document}",
    "\\[ \\int_0^{@{n}} \\frac{1}{\\sqrt{x}}\\,dx = \\sum_{i=1}^{n} \\binom{n}{i} \\]",
    "\\newcommand{\\@{func}}[1]{\\textbf{#1}} % it's bold\n\\begin{tabular}{|l|r|}\\hline a & b \\\\ \\hline\\end{tabular}",
    "``Quoted'' --- see~\\cite{@{name}@{year}}; \\url{@{url}}",
)
_YAML = (
    'services:\n  web:\n    image: "@{name}:@{n}"\n    command: ["sh", "-c", "sleep @{n} && exec ./run"]\n    ports: [\'80@{n}:80\']\n    environment:\n      DB: ${DB:-sqlite://}',
    "on:\n  push: {branches: [main]}\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          cd @{dir}; make @{func} || true\n      - uses: actions/checkout@v@{n}",
    'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: @{name}\n    args: ["--@{var}=$(NODE)"]\n# it\'s @{year}\n---\na: &x {b: 1}\nc: *x\n<<: *x',
    "@{name}: !!str @{n}\ntext: >-\n  it's folded\nother: 'don''t'\nlist: [a, 'b', \"c\"]",
)
_TOML_INI = (
    "[project]\nname = \"@{name}\"\ndependencies = [\"a>=1,<2; python_version < '3.@{n}'\"]\n[[tool.x]]\npath = 'C:\\@{name}'",
    '; settings\n[mysqld]\nport=33@{n}\nbind-address = 127.0.0.1\nsql_mode="STRICT_ALL_TABLES"\n# end',
    "[section @{n}]\nkey = %(home)s/@{dir}\nurl = http://localhost:80@{n}/\nquery = select 1",
    'DATABASE_URL=postgres://@{name}:pa$$w%23rd@db:5432/@{table}\nexport DEBUG=1\nPATH="$HOME/bin:$PATH"',
    "RewriteEngine On\nRewriteCond %{REQUEST_URI} !^/@{name}\nRewriteRule ^(.*)$ /index.php?q=$1 [L,QSA]",
    'location ~* \\.(js|css)$ {\n    proxy_pass http://127.0.0.1:80@{n};\n    add_header X-A "b; c" always;\n}',
)
_CSV = (
    'id,name,note\n@{n},"O\'Brien, @{name}","said ""hi"""\n@{n},@{name},=SUM(A1:A@{n})\n',
    "@{column};@{column};@{column}\r\n@{n},5;'@{name}';<none>\r\n-@{n};+@{n};@home\r\n",
    "a\tb\tc\n@{n}\t@{file}\t@{url}\n\t\t\n",
)
_DIFF = (
    '--- a/@{file}\n+++ b/@{file}\n@@ -@{n},7 +@{n},7 @@ def @{func}():\n-    return @{var} or None\n+    return @{var} if @{var} else ""\n context\n',
    "diff --git a/@{dir}/@{file} b/@{dir}/@{file}\nindex e69de29..4b825dc 100644\n-<p>@{name}</p>\n+<p>{{ @{name} }}</p>\n-DROP TABLE @{table};\n",
    '@@ -1 +1,2 @@\n-#!/bin/sh\n+#!/bin/bash\n+set -e; echo "$1" | tee @{file}',
)
_LOGS = (
    "2024-05-07 10:00:00,123 ERROR [@{func}] Can't connect to 10.0.0.@{n}:5432; retrying in @{n}s (attempt #@{n})",
    '203.0.113.@{n} - @{name} [07/May/2024:10:00:00 +0000] "GET /a?b=c&d=%27x HTTP/1.1" 404 @{n} "-" "curl/8.@{n}.0"',
    "May  7 10:00:00 host sshd[@{n}]: Failed password for invalid user admin from 198.51.100.@{n} port 22@{n} ssh2",
    '[warn] 12#12: *@{n} a client request body is buffered to /var/cache/nginx/0000@{n} while reading, request: "POST /x"',
    'time="@{year}" level=info msg="SELECT @{column} FROM @{table} took @{n}ms" rows=@{n}',
    "npm ERR! code ELIFECYCLE; errno @{n}; @{name}@1.0.@{n} test: `jest && eslint .`",
    "mysql> ERROR 1064 (42000): You have an error in your SQL syntax near '@{name}' at line @{n}",
    "kernel: [@{n}.@{n}] usb 1-1: new high-speed USB device number @{n} <6>",
)
_TRACES = (
    "Traceback (most recent call last):\n  File \"/home/@{name}/@{file}\", line @{n}, in <module>\n    @{func}(@{var})\nKeyError: '@{column}'",
    'java.lang.NullPointerException: Cannot invoke "String.length()" because "<local@{n}>" is null\n\tat com.example.@{func}(Main.java:@{n})\nCaused by: javax.naming.NameNotFoundException: jdbc/@{name}',
    "TypeError: Cannot read property '@{column}' of undefined\n    at Object.<anonymous> (/app/@{file}:@{n}:7)\n    at node:internal/main/run_main_module:23:47",
    "PHP Fatal error:  Uncaught Error: Call to undefined function @{func}() in /var/www/html/@{name}.php:@{n}\nStack trace:\n#0 {main}\n  thrown",
    "psycopg2.errors.UndefinedColumn: column \"@{column}\" does not exist\nLINE 1: SELECT * FROM @{table} WHERE @{column}=1 AND 'x'='x'\n        ^",
    "Unhandled exception. System.FormatException: Input string wasn't in a correct format.\n   at Program.<Main>$(String[] args) in C:\\src\\@{file}:line @{n}",
    "thread 'main' panicked at src/main.rs:@{n}:5:\ncalled `Option::unwrap()` on a `None` value\nnote: run with `RUST_BACKTRACE=1`",
    "goroutine 1 [running]:\nmain.@{func}(0xc000012345, {0x0, 0x0})\n\t/go/src/@{name}/main.go:@{n} +0x1d\nexit status 2",
)


def _document(written: str, extension: str, rng: Random) -> Draft:
    """A text in a field of a form, in JSON, as an uploaded file or as the body."""
    match rng.randint(0, 4):
        case 0:
            return post_json(
                rng, "/api/pages/12", {"content": written, "format": extension, "origin": local_url(rng)}, "PUT"
            )
        case 1:
            file = Upload("file", f"notes (1).{extension}", "text/plain", written.encode())
            return multipart(rng, "/upload", {"folder": "a/b"}, [file])
        case 2:
            return post_text(f"/raw/page.{extension}", written, "text/plain; charset=utf-8", "PUT")
        case _:
            return submit(rng, "/pages/edit", {"title": "It's a draft", "text": written, "format": extension})


def _made(write: Callable[[Random], str], extension: str, rng: Random) -> Draft:
    return _document(write(rng), extension, rng)


def _explained(templates: Sequence[str], extension: str, rng: Random) -> Draft:
    """One to three texts of a format with a line of prose before, as people paste them."""
    opening = pick(rng, ("Here's the @{file} of @{name}:", "See below;", "It fails @{when}:", "FYI (@{os}):"))
    return _document(f"{opening}\n\n{some(rng, templates, 3, chr(10))}", extension, rng)


def _writer(name: str, count: int, write: Callable[[Random], str], extension: str) -> Topic:
    return Topic(name, "technical", count, partial(_made, write, extension))


def _pasted(name: str, count: int, templates: Sequence[str], extension: str) -> Topic:
    return Topic(name, "technical", count, partial(_explained, templates, extension))


TOPICS = (
    _writer("rich-text-html", 90, _rich_text, "html"),
    _writer("markdown", 70, _markdown, "md"),
    _writer("mail-reply", 70, _mail, "eml"),
    _writer("wiki-markup", 25, _wiki, "wiki"),
    _writer("bbcode", 25, _bbcode, "txt"),
    _pasted("latex", 20, _LATEX, "tex"),
    _pasted("yaml", 25, _YAML, "yml"),
    _pasted("toml-and-ini", 25, _TOML_INI, "ini"),
    _pasted("csv", 25, _CSV, "csv"),
    _pasted("diff", 25, _DIFF, "patch"),
    _pasted("log-lines", 35, _LOGS, "log"),
    _pasted("stack-trace", 35, _TRACES, "txt"),
)
