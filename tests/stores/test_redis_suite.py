"""The public conformance suite, over a real server and a real Cluster, with the servers' own time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.stores.valkeys import Cluster, Valkey, running

from doorward.stores.redis import AsyncRedisStore, RedisStore
from doorward.testing.store_suite import StoreSuite


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    with running(valkey):
        yield valkey.url()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes.url()


class OverServers(StoreSuite):
    own_time = True
    url: str

    def make_store(self, clock: object) -> RedisStore | AsyncRedisStore:
        return RedisStore(self.url, timeout=20)


class TestOneServer(OverServers):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, server: str) -> None:
        cls.url = server


class TestCluster(OverServers):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _cluster(cls, cluster: str) -> None:
        cls.url = cluster


class TestAwaited(TestOneServer):
    def make_store(self, clock: object) -> Any:
        return RedisStore(self.url, timeout=20).aio
