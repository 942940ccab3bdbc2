"""Who gets into the shop: its own rules, by a clock that stands still until it is told."""

from __future__ import annotations

import pytest
from django.test import Client
from shop import app

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html",
    "Accept-Language": "en",
    "Accept-Encoding": "gzip",
}


@pytest.fixture
def client(doorward):
    """A client of the application, whose rules are under test."""
    doorward.use(app)
    return Client()


def sign_up(client):
    """What the form sends."""
    return client.post("/signup", {"email": "ann@company.example"}, headers=BROWSER)


def test_a_customer_may_look_around(client, doorward):
    """No rule objects to a browser."""
    doorward.assert_allowed(client.get("/items/7", headers=BROWSER), status=200)


def test_the_sixth_sign_up_within_ten_minutes_is_refused(client, doorward):
    """Five are let through, and ten minutes later there is room again."""
    for _ in range(5):
        doorward.assert_allowed(sign_up(client), status=201)
    doorward.assert_denied(sign_up(client), by="RATE_LIMIT", rule="signup", status=429)
    doorward.clock.advance("10m")
    doorward.assert_allowed(sign_up(client))


def test_a_script_is_refused(client, doorward):
    """Programs that say what they are do not get in."""
    doorward.assert_denied(client.get("/", headers={"User-Agent": "curl/8.5.0"}), by="BOT")


def test_an_attack_is_refused(client, doorward):
    """SQL in a query is refused at once."""
    doorward.assert_denied(
        client.get("/items/7?id=1+UNION+SELECT+name,password+FROM+users--", headers=BROWSER), by="SHIELD"
    )
