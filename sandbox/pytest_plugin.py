"""Gives a test session its own PostgreSQL and Redis, before Django reads its settings.

Loaded by pytest.ini with `-p`. DATABASE_URL and REDIS_URL, where set, are used instead. Under
xdist there is one PostgreSQL, in which pytest-django gives each worker its own database, and one
Redis per worker, because channels of one Redis are shared by all who use it.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from sandbox.home import HOME
from sandbox.postgres import start_postgres
from sandbox.redis import start_redis
from sandbox.scratch import scratch_directory

SCRATCH = HOME.directory / "test"
# Tells the xdist workers, which inherit the environment, that REDIS_URL is ours to replace.
OWN_REDIS = "SANDBOX_TEST_REDIS"

_running = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """A wrapper, because pytest-django's own hook, which reads the settings, is `tryfirst`."""
    needs_redis = "REDIS_URL" not in os.environ or OWN_REDIS in os.environ
    needs_postgres = "DATABASE_URL" not in os.environ
    if needs_redis or needs_postgres:
        scratch = _running.enter_context(scratch_directory(SCRATCH))
    if needs_postgres:
        postgres = start_postgres(scratch / "postgres", volatile=True)
        _running.callback(postgres.stop)
        os.environ["DATABASE_URL"] = postgres.url
    if needs_redis:
        redis = start_redis(scratch / "redis")
        _running.callback(redis.stop)
        os.environ |= {"REDIS_URL": redis.url, OWN_REDIS: "1"}
    yield


def pytest_unconfigure() -> None:
    _running.close()
