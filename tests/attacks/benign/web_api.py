"""The bodies of web APIs: GraphQL, JSON-RPC, searches, events, web hooks and beacons."""

from __future__ import annotations

import json
from random import Random
from urllib.parse import quote

from .encodings import chance, form, get, hexadecimal, json_body, letters, post_json, post_text
from .model import Draft, Topic
from .people import any_language, email, text
from .slots import COMMON, fill
from .tokens import base64_text, uuid
from .urls import page_url, webhook_url

_GRAPHQL = (
    "query Find($q: String!, $first: Int = @{n}) { search(query: $q, first: $first) { edges { node { id name } } } }",
    'mutation { addComment(input: {subjectId: "@{n}", body: "it\'s done; see #@{n}"}) { comment { id } } }',
    'query { @{table}(where: {status: {_eq: "open"}}, order_by: {created_at: desc}, limit: @{n}) { @{column} } }',
    "fragment F on User { id login ... on Node { id } }\nquery Me { viewer { ...F @include(if: true) } }",
    "query IntrospectionQuery { __schema { queryType { name } types { kind name fields { name } } } }",
    "subscription OnEvent { event(id: @{n}) { at, kind # what happened\n } }",
    '{ user(id: @{n}) { name, friends(first: 5) @connection(key: "x") { name } } }',
)
_SELECTS = ("name", "id,name", "name,createdDateTime", "*")
_EVENTS = "push", "issue.opened", "payment_intent.succeeded", "message.created", "order/updated", "ping"


def _graphql(rng: Random) -> Draft:
    body = {
        "operationName": None,
        "query": fill(rng, rng.choice(_GRAPHQL)),
        "variables": {"q": rng.choice(any_language(rng).words)},
    }
    if chance(rng, 0.25):
        return get(rng, "/graphql", {"query": str(body["query"]), "variables": json.dumps(body["variables"])})
    return post_json(rng, "/graphql", body if chance(rng, 0.8) else [body, body])


def _json_rpc(rng: Random) -> Draft:
    method = rng.choice(
        ("eth_getBalance", "system.listMethods", "user.update", "textDocument/hover", "exec.status", "eval_score")
    )
    call = {
        "jsonrpc": "2.0",
        "method": method,
        "params": [f"0x{hexadecimal(rng, 40)}", "latest", text(rng, 1)],
        "id": rng.randint(1, 99),
    }
    return post_json(rng, "/rpc", call)


def _json_api(rng: Random) -> Draft:
    if chance(rng, 0.4):
        filters = {
            "filter[age][gte]": "18",
            "filter[name][like]": "O'B",
            "sort": "-created,title",
            "fields[articles]": "title,body",
            "include": "author,comments.author",
        }
        return get(rng, "/articles", filters | {"page[number]": str(rng.randint(1, 99))})
    data = {
        "type": "articles",
        "attributes": {"title": rng.choice(any_language(rng).words), "body": text(rng), "slug": "drop-the-base"},
        "relationships": {"author": {"data": {"type": "people", "id": str(rng.randint(1, 999))}}},
    }
    return post_json(rng, "/articles", {"data": data}, content_type="application/vnd.api+json")


def _elasticsearch(rng: Random) -> Draft:
    query = {
        "query": {
            "bool": {
                "must": [{"match": {"title": {"query": rng.choice(any_language(rng).words), "operator": "and"}}}],
                "should": [
                    {"query_string": {"query": '(quick OR brown) AND "fox jumps"~2 -lazy +dog status:[400 TO 499]'}}
                ],
                "filter": [
                    {"range": {"@timestamp": {"gte": f"now-{rng.randint(1, 30)}d/d", "lt": "now"}}},
                    {"exists": {"field": "user"}},
                ],
                "must_not": {"wildcard": {"path": f"/{letters(rng, 4)}*"}},
            }
        },
        "aggs": {"by_day": {"date_histogram": {"field": "@timestamp", "interval": "day"}}},
        "size": rng.randint(0, 100),
        "sort": [{"_score": "desc"}, "_doc"],
    }
    if chance(rng, 0.3):
        lines = ({"index": f"logs-{rng.randint(1, 9)}"}, query)
        return post_text("/_msearch", "".join(json.dumps(line) + "\n" for line in lines), "application/x-ndjson")
    return post_json(rng, "/items/_search", query)


def _admin_filter(rng: Random) -> Draft:
    return rng.choice((_look_ups, _odata, _issues, _query_builder))(rng)


def _look_ups(rng: Random) -> Draft:
    look_ups = {"is_active__exact": "1", "last_name__icontains": "O'", "o": "-4.2", "q": email(rng)}
    return get(rng, "/admin/auth/user/", look_ups)


def _odata(rng: Random) -> Draft:
    options = {
        "$filter": f"startswith(Name,'O''Neil') and Age gt {rng.randint(1, 99)} or not (Price le 3.5)",
        "$select": rng.choice(_SELECTS),
        "$orderby": "Name desc",
        "$top": "20",
    }
    return get(rng, "/odata/People", options)


def _issues(rng: Random) -> Draft:
    jql = f'project = "R&D" AND id > {rng.randint(1, 99)} AND assignee = currentUser() ORDER BY rank DESC, key'
    return get(rng, "/rest/api/2/search", {"jql": jql, "maxResults": "50"})


def _query_builder(rng: Random) -> Draft:
    operator = rng.choice((">", "<=", "!=", "like", "in", "between"))
    where = {"field": fill(rng, "@{column}"), "op": operator, "value": [1, rng.randint(2, 99)]}
    columns = [fill(rng, "@{table}.@{column}"), "count(*)"]
    return post_json(rng, "/api/query", {"filters": [where], "select": columns, "limit": 100, "order_by": ["-id"]})


def _geojson(rng: Random) -> Draft:
    ring = [[round(rng.uniform(-180, 180), 6), round(rng.uniform(-90, 90), 6)] for _ in range(rng.randint(3, 60))]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"name": rng.choice(any_language(rng).cities)},
    }
    return post_json(
        rng, "/api/areas", {"type": "FeatureCollection", "features": [feature]}, content_type="application/geo+json"
    )


def _openapi(rng: Random) -> Draft:
    table = fill(rng, "@{table}")
    operation = {
        "summary": f"List {table}; it's paged",
        "parameters": [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": rng.randint(10, 500)}}
        ],
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{table}"}}},
            }
        },
    }
    servers = [
        {"url": "http://localhost:{port}/v1", "variables": {"port": {"default": "8080"}}},
        {"url": "https://{region}.api.example.com"},
    ]
    pattern = {"type": "string", "pattern": r"^[^<>'\"&;]{1,64}$", "example": "O'Brien & Co <info>"}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Bob's API", "version": "1"},
        "servers": servers,
        "paths": {f"/{table}/{{id}}": {"get": operation}},
        "components": {"schemas": {table: pattern}},
    }
    return post_json(rng, "/api/specs", document, "PUT")


def _webhook(rng: Random) -> Draft:
    event = rng.choice(_EVENTS)
    body = {
        "id": f"evt_{letters(rng, 24)}",
        "type": event,
        "created": 1700000000 + rng.randint(1, 10**7),
        "repository": {
            "full_name": "o-brien/drop-in",
            "clone_url": "git@example.com:o-brien/drop-in.git",
            "private": False,
        },
        "commits": [
            {
                "id": hexadecimal(rng, 40),
                "message": f"Fix `{fill(rng, '@{func}')}`: don't drop rows && close #12\n\n{text(rng, 1)}",
            }
        ],
        "sender": {"login": rng.choice(COMMON["name"]), "url": page_url(rng), "name": any_language(rng).name(rng)},
        "hook": {"config": {"url": webhook_url(rng), "content_type": "json"}},
    }
    if chance(rng, 0.2):
        return form(rng, "/hooks/incoming", {"payload": json_body(rng, body).decode()})
    draft = post_json(rng, "/hooks/incoming", body)
    draft.headers["X-Hub-Signature-256"] = f"sha256={hexadecimal(rng, 64)}"
    return draft


def _beacon(rng: Random) -> Draft:
    fields = {
        "v": "2",
        "tid": f"G-{letters(rng, 10).upper()}",
        "cid": f"{rng.randint(1, 10**9)}.17{rng.randint(10**7, 10**8)}",
        "dl": page_url(rng),
        "dt": f"{rng.choice(any_language(rng).words)} | Bob's Shop – 50% off",
        "dr": page_url(rng),
        "sr": "1920x1080",
        "en": rng.choice(("page_view", "scroll", "add_to_cart", "js_error")),
        "ep.selector": "div#main > ul li:nth-child(2) a[href^='/p/']",
        "uaa": "x86;bitness=64",
    }
    if chance(rng, 0.5):
        return get(rng, "/g/collect", fields)
    lines = (
        json.dumps(fields | {"ts": rng.randint(1, 10**9), "seq": number}, ensure_ascii=False) for number in range(3)
    )
    return post_text("/beacon", "\n".join(lines), "text/plain;charset=UTF-8")


def _csp_report(rng: Random) -> Draft:
    report = {
        "document-uri": page_url(rng),
        "referrer": "",
        "violated-directive": "script-src-elem",
        "original-policy": f"script-src 'self' 'nonce-{base64_text(rng, 9)}' 'unsafe-inline' *.example.com",
        "blocked-uri": rng.choice(("inline", "eval", "data", "https://cdn.example.net/widget.js", "chrome-extension")),
        "line-number": rng.randint(1, 999),
        "script-sample": rng.choice(("", "window.dataLayer = window.dataLayer ||", "(function(){var s=document.get")),
    }
    return post_json(rng, "/csp", {"csp-report": report}, content_type="application/csp-report")


def _error_report(rng: Random) -> Draft:
    frame = {
        "filename": "http://localhost:3000/static/js/bundle.js",
        "function": "Object.onClick [as handler]",
        "lineno": rng.randint(1, 9999),
    }
    value = rng.choice(
        (
            "Cannot read properties of undefined (reading 'map')",
            "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
            "x is not a function",
        )
    )
    event = {
        "event_id": hexadecimal(rng, 32),
        "exception": {"values": [{"type": "TypeError", "value": value, "stacktrace": {"frames": [frame] * 2}}]},
        "request": {"url": page_url(rng)},
        "breadcrumbs": [{"category": "ui.click", "message": 'button.btn[type="submit"] > span'}],
    }
    lines = ({"dsn": "https://abc@o1.ingest.example.com/2"}, {"type": "event"}, event)
    return post_text("/api/2/envelope/", "\n".join(json.dumps(line) for line in lines), "application/x-sentry-envelope")


def _source_map(rng: Random) -> Draft:
    source = "export const add = (a, b) => a + b; // it's simple\nif (a < b && c > d) { document.title = `x ${a}`; }\n"
    document = {
        "version": 3,
        "file": "app.js",
        "sources": ["webpack://app/./src/index.js", "../node_modules/a/b.js"],
        "sourcesContent": [source],
        "names": ["a", "onClick"],
        "mappings": ";".join(letters(rng, 8) + ",AAAA" for _ in range(20)),
    }
    return post_json(rng, "/api/releases/1.2.3/files", document)


def _time_series(rng: Random) -> Draft:
    if chance(rng, 0.5):
        lines = (
            f"cpu,host=srv{n},region=eu-west usage={rng.random():.4f},idle={n}i 17{rng.randint(10**16, 10**17)}"
            for n in range(5)
        )
        return post_text("/write", "\n".join(lines), "text/plain; charset=utf-8")
    promql = f'sum(rate(http_requests_total{{job=~"api|web",code!="200"}}[{rng.randint(1, 60)}m])) by (le) > 0.5'
    return get(rng, "/api/v1/query_range", {"query": promql, "start": "2024-05-01T00:00:00Z", "step": "15s"})


def _records(rng: Random) -> Draft:
    lines = (
        json.dumps(
            {"id": uuid(rng), "name": any_language(rng).name(rng), "text": text(rng, 2), "ok": None}, ensure_ascii=False
        )
        for _ in range(rng.randint(2, 12))
    )
    return post_text("/api/import", "\n".join(lines) + "\n", "application/x-ndjson")


def _large_json(rng: Random) -> Draft:
    items = [
        {
            "id": number,
            "sku": letters(rng, 6),
            "name": rng.choice(any_language(rng).words),
            "price": rng.randint(1, 9999) / 100,
            "tags": ["a&b", "c/d"],
        }
        for number in range(rng.randint(50, 300))
    ]
    return post_json(rng, "/api/bulk", {"items": items, "dryRun": True}, "PUT")


def _patch(rng: Random) -> Draft:
    steps = [
        {"op": "replace", "path": "/address/0/street~1no", "value": rng.choice(any_language(rng).streets)},
        {"op": "remove", "path": "/tags/-"},
        {"op": "test", "path": "/v", "value": rng.randint(1, 99)},
    ]
    return post_json(rng, f"/api/users/{rng.randint(1, 999)}", steps, "PATCH", "application/json-patch+json")


def _data_table(rng: Random) -> Draft:
    columns = [
        (f"columns[{n}][{key}]", value)
        for n in range(rng.randint(3, 9))
        for key, value in (
            ("data", fill(rng, "@{column}")),
            ("search][value", rng.choice(("", "O'B", "a|b", "^x$"))),
            ("orderable", "true"),
        )
    ]
    return get(
        rng,
        "/datatable",
        [
            ("draw", "1"),
            *columns,
            ("order[0][dir]", "desc"),
            ("search[regex]", "false"),
            ("_", str(rng.randint(1, 10**12))),
        ],
    )


def _translated(rng: Random) -> Draft:
    query = quote(rng.choice(any_language(rng).words).encode("utf-8"), safe="")
    return Draft(
        "GET",
        "/complete/search",
        f"client=firefox&q={query}&callback=jQuery{letters(rng, 20, '0123456789')}_{rng.randint(1, 10**9)}",
    )


TOPICS = (
    Topic("graphql", "ordinary", 90, _graphql),
    Topic("json-rpc", "ordinary", 40, _json_rpc),
    Topic("json-api", "ordinary", 50, _json_api),
    Topic("elasticsearch", "ordinary", 50, _elasticsearch),
    Topic("admin-filter", "ordinary", 60, _admin_filter),
    Topic("geojson", "ordinary", 20, _geojson),
    Topic("openapi", "technical", 20, _openapi),
    Topic("webhook-body", "ordinary", 60, _webhook),
    Topic("analytics-beacon", "ordinary", 80, _beacon),
    Topic("csp-report", "ordinary", 30, _csp_report),
    Topic("error-report", "technical", 30, _error_report),
    Topic("source-map", "technical", 10, _source_map),
    Topic("time-series", "ordinary", 30, _time_series),
    Topic("ndjson-import", "ordinary", 30, _records),
    Topic("large-json", "ordinary", 15, _large_json),
    Topic("json-patch", "ordinary", 30, _patch),
    Topic("data-table", "ordinary", 30, _data_table),
    Topic("suggestion", "ordinary", 50, _translated),
)
