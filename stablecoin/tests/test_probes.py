"""How the services outside were found."""

import pytest
from pytest_django import Settings

from chains import registry as adapters
from sandbox.evm import OUTSIDER
from stablecoin import tasks
from stablecoin.models import Probe
from stablecoin.tests.outside import Outside


@pytest.mark.usefixtures("outside")
def test_a_key_service_that_answers_is_found_well() -> None:
    tasks.check_key_service()
    found = Probe.objects.get(name="kms")
    assert (found.well, found.error) == (True, "")
    assert found.ms is not None


def test_a_key_of_another_address_is_told_of(outside: Outside, settings: Settings) -> None:
    settings.KMS_ADDRESS = OUTSIDER.address
    adapters.forget()
    tasks.check_key_service()
    found = Probe.objects.get(name="kms")
    assert not found.well
    assert found.error.endswith(f"not {OUTSIDER.address}")


def test_a_key_service_out_of_reach_is_told_of(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    adapters.forget()
    tasks.check_key_service()
    assert (
        Probe.objects.get(name="kms").error == "KMS could not be reached (EndpointConnectionError)"
    )
