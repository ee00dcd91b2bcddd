import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django_celery_beat.models import PeriodicTask

from orders import tasks
from orders.models import Order, Token, Wallet
from orders.tests.driving import confirm, run
from orders.tests.factories import MINTS, TRADERS, OrderFactory
from orders.tests.outside import OutsideWorld

pytestmark = pytest.mark.django_db


def token_list(path: Path, *entries: object) -> Path:
    path.write_text(json.dumps(entries))
    return path


def test_tokens_are_created_and_later_corrected(tmp_path: Path) -> None:
    entry = {"symbol": "SOL", "name": "Solana", "mint": MINTS["SOL"], "decimals": 9}
    call_command("sync_tokens", token_list(tmp_path / "a", entry), stdout=StringIO())
    Token.objects.update(active=False)
    renamed = entry | {"name": "Wrapped SOL"}
    said = StringIO()
    call_command("sync_tokens", token_list(tmp_path / "b", renamed), stdout=said)
    token = Token.objects.get()
    assert (token.name, token.active) == ("Wrapped SOL", False)
    assert "1 token" in said.getvalue()


@pytest.mark.parametrize("change", [{"decimals": 6}, {"token2022": True}])
def test_what_stored_amounts_mean_does_not_change(
    change: dict[str, object], tmp_path: Path
) -> None:
    entry = {"symbol": "SOL", "name": "Solana", "mint": MINTS["SOL"], "decimals": 9}
    call_command("sync_tokens", token_list(tmp_path / "a", entry), stdout=StringIO())
    with pytest.raises(CommandError, match=MINTS["SOL"]):
        call_command("sync_tokens", token_list(tmp_path / "b", entry | change))
    token = Token.objects.get()
    assert (token.decimals, token.token2022) == (9, False)


@pytest.mark.parametrize("text", ["", "{}x", "7", '[{"symbol": "SOL"}]', '["SOL"]'])
def test_a_file_that_is_no_token_list_changes_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=str(path)):
        call_command("sync_tokens", path)
    with pytest.raises(CommandError, match="nowhere"):
        call_command("sync_tokens", tmp_path / "nowhere")
    assert not Token.objects.exists()


def test_wallets_are_those_whose_keys_are_held(outside: OutsideWorld) -> None:
    Wallet.objects.all().delete()
    Wallet.objects.create(address=TRADERS[0], label="desk", active=False)
    call_command("sync_wallets", stdout=StringIO())
    assert set(Wallet.objects.values_list("address", flat=True)) == set(TRADERS)
    kept = Wallet.objects.get(address=TRADERS[0])
    assert (kept.label, kept.active) == ("desk", False)


def test_the_schedule_is_synced_by_a_command() -> None:
    call_command("sync_schedule", stdout=StringIO())
    assert PeriodicTask.objects.filter(task="core.sweep").exists()


def test_the_tasks_take_an_order_from_one_stage_to_the_next(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage="orders.route")
    for task in (tasks.route, tasks.build, tasks.submit):
        task()
    order.refresh_from_db()
    assert order.status == "SUBMITTED"
    tasks.confirm()
    run("orders.confirm")
    confirm(order)
    assert Order.objects.get().status == "CONFIRMED"
