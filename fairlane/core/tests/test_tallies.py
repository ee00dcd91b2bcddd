"""What each queue has before it and behind it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fairlane.core import claims, tallies
from fairlane.core.claims import Claim
from fairlane.core.stages import Stage
from fairlane.core.tests.access_fixtures import IssueKey, fresh_process, issue_key
from fairlane.settings.env import Environment
from orders.stage_names import ROUTE, SUBMIT
from orders.tests.factories import WorkFactory

__all__ = ["fresh_process", "issue_key"]

pytestmark = pytest.mark.django_db


def test_a_queue_has_the_rows_of_its_stages() -> None:
    WorkFactory.create_batch(2, stage=ROUTE)
    WorkFactory.create(stage=SUBMIT, due_at=timezone.now() + timedelta(hours=1))
    WorkFactory.create(stage=ROUTE, claim_id=uuid4(), due_at=timezone.now() + timedelta(seconds=30))
    # A lease that ran out waits for the next worker.
    WorkFactory.create(stage=ROUTE, claim_id=uuid4(), due_at=timezone.now() - timedelta(seconds=1))
    WorkFactory.create(stage=ROUTE, quarantined_at=timezone.now())
    WorkFactory.create(stage="of.nobody")
    found = tallies.queues(["orders", "default"])["orders"]
    assert (found.waiting, found.active) == (4, 1)


def test_what_a_stage_was_done_with_and_what_it_stumbled_over_is_counted() -> None:
    good = {WorkFactory.create(stage=ROUTE).object_id for _ in range(3)}
    WorkFactory.create(stage=ROUTE)

    def work(claim: Claim) -> None:
        if not good >= set(claim.ids):
            raise ValueError("poison")
        claim.finish(claim.ids)

    stage = Stage(ROUTE, size=8, lease_ms=60_000, work=work, set_aside=lambda claim: None)
    stage.run()
    stage.run()
    found = tallies.queues(["orders"])["orders"]
    assert (found.completed, found.failed) == (3, 1)
    assert claims.backlog() == {}


def test_the_queues_are_shown_to_whoever_monitors(
    client: Client, issue_key: IssueKey, settings: Settings
) -> None:
    assert client.get("/metrics/queues").status_code == 401
    _, plain = issue_key("metrics:read")
    answer = client.get("/metrics/queues", headers={"Authorization": f"Bearer {plain}"})
    assert answer.json().keys() == settings.CELERY_TASK_QUEUES.keys()
    assert answer.json()["orders"] == {"waiting": 0, "active": 0, "completed": 0, "failed": 0}


def test_monitoring_networks_need_no_key_and_keep_others_out(
    client: Client, issue_key: IssueKey, settings: Settings
) -> None:
    source = {"MONITORING_NETWORKS": "10.0.0.0/8, fd00::/8"}
    settings.MONITORING_NETWORKS = Environment(source).networks("MONITORING_NETWORKS")
    for path in ("/health", "/metrics", "/metrics/queues"):
        near = client.get(path, REMOTE_ADDR="10.1.2.3")
        assert near.status_code in (200, 503), path
        assert client.get(path, REMOTE_ADDR="fd00::1").status_code in (200, 503)
        assert client.get(path, REMOTE_ADDR="11.0.0.1").status_code == 401
    # A proxy that nobody told us of has an address nearby, whoever asks through it.
    forwarded = {"X-Forwarded-For": "11.0.0.1"}
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers=forwarded).status_code == 401
    _, plain = issue_key("metrics:read")
    far = client.get(
        "/health", REMOTE_ADDR="11.0.0.1", headers={"Authorization": f"Bearer {plain}"}
    )
    assert far.status_code in (200, 503)
    # Whoever orchestrates asks from anywhere.
    assert client.get("/health/live", REMOTE_ADDR="11.0.0.1").status_code == 200
