"""Which 4-gram of a text to file it under: one that browsers' agents do not have, and few other texts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from doorward.intelligence.agent_evidence import frame
from doorward.intelligence.bot_index import GRAM

if TYPE_CHECKING:
    from collections.abc import Iterable

# What browsers' agents are made of: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/User-Agent
_SYSTEMS = """
Windows NT 10.0; Win64; x64|Windows NT 10.0; WOW64|Windows NT 6.1|Macintosh; Intel Mac OS X 10_15_7|X11; Linux x86_64
X11; Ubuntu; Linux x86_64|X11; CrOS x86_64 14541.0.0|Linux; Android 10; K|Linux; Android 14; SM-S918B; Mobile
Linux; U; Android 13; en-US; Pixel 7 Build/TQ3A; wv|iPhone; CPU iPhone OS 17_5_1 like Mac OS X
iPad; CPU OS 16_6 like Mac OS X|Android 14; Mobile|Linux; Android 9; KFMAWI|Web0S; Linux/SmartTV|Tizen 6.0; SMART-TV
"""
_ENGINES = """
AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36
AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36
AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1
AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15
Gecko/20100101 Firefox/128.0|Gecko/128.0 Firefox/128.0|Trident/7.0; rv:11.0) like Gecko
AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1 FxiOS/128.0 GSA/320.0
"""
_BRANDS = """
Edg/126.0.2592.87|EdgA/126.0|EdgiOS/126.0|OPR/112.0.0.0|OPT/4.5|SamsungBrowser/25.0|Vivaldi/6.8|YaBrowser/24.6.0
UCBrowser/13.4|DuckDuckGo/7|Brave/126|MiuiBrowser/14|HuaweiBrowser/14|HeyTapBrowser/45|VivoBrowser/12|QQBrowser/14
[FBAN/FBIOS;FBAV/467.0;FBBV/1;FBDV/iPhone14,2]|Instagram 338.0|MicroMessenger/8.0|Line/14.0|Snapchat/12.9|Ddg/17.5
"""


def _split(block: str) -> list[str]:
    return [part for line in block.strip().splitlines() for part in line.split("|")]


def grams_of(text: str) -> set[str]:
    """All 4-grams of a text."""
    return {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}


def _common() -> frozenset[str]:
    agents = [f"Mozilla/5.0 ({system}) {engine}" for system in _split(_SYSTEMS) for engine in _split(_ENGINES)]
    return frozenset().union(*(grams_of(frame(agent)) for agent in [*agents, *_split(_BRANDS)]))


COMMON = _common()
"""4-grams of browsers' agents."""


def chosen_keys(texts: Iterable[str]) -> list[str]:
    """For each text the 4-gram to file it under; "" for those that are too short to have one."""
    texts = list(texts)
    shared = Counter(gram for text in texts for gram in grams_of(text))
    return [min(grams_of(text), key=lambda gram: (gram in COMMON, shared[gram], gram), default="") for text in texts]
