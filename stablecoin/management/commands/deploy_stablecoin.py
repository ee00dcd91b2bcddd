import os
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from eth_account import Account
from web3.exceptions import Web3Exception

from chains import registry as adapters
from chains.errors import ChainError
from chains.evm.ports import Call, Reverted
from chains.evm.transactions import RelayerKey
from fairlane.core import audit
from stablecoin import reading
from stablecoin.artifacts import NotCompiled
from stablecoin.deployment import Deployment, DeploymentError, Terms, deploy
from stablecoin.models import Chain
from stablecoin.profiles.base import SUPPLY_CALL, MalformedLog, decode_number

# Tokens have 18 decimals.
TOKEN = 10**18
KEY = "DEPLOYER_PRIVATE_KEY"


class Command(BaseCommand):
    help = (
        "Deploy the contract to a chain, once, and record where it is. The deployer's key is read"
        f" from {KEY} or the file that {KEY}_FILE names; its account becomes the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chain", type=int, nargs="+", help="Chain ids of the settings.")
        parser.add_argument("--max-per-transaction", type=int, default=10_000_000, help="Tokens.")
        parser.add_argument("--total-cap", type=int, default=1_000_000_000, help="Tokens.")

        parser.add_argument(
            "--existing", metavar="ADDRESS", help="Record this contract of one chain; deploy none."
        )
        parser.add_argument("--kyc-registry", default="", help="With --existing, where it has one.")
        parser.add_argument(
            "--from-block", type=int, default=0, help="With --existing: where its events begin."
        )

    def handle(self, chain: list[int], **options: Any) -> None:
        for chain_id in chain:
            if chain_id not in settings.EVM_CHAINS:
                raise CommandError(f"{chain_id} is not among STABLECOIN_CHAINS")
        if options["existing"]:
            self._record_existing(chain, options)
            return
        for chain_id in chain:
            if settings.EVM_CHAINS[chain_id].profile != "A":
                raise CommandError(
                    f"chain {chain_id} has a contract of another design: name it by --existing"
                )
        key = _deployer_key()
        for chain_id in chain:
            done = self._deploy(chain_id, key, options)
            self._record(chain_id, done)
            self.stdout.write(f"{chain_id} {done.contract}")

    def _record_existing(self, chain: list[int], options: dict[str, Any]) -> None:
        if len(chain) > 1 or options["from_block"] < 0:
            raise CommandError("--existing is for one chain, from a block on")
        try:
            contract = reading.account(options["existing"])
            named = options["kyc_registry"]
            registry = reading.account(named) if named else ""
            (code,) = adapters.run(adapters.evm(chain[0]).call([Call(contract, SUPPLY_CALL)]))
            decode_number(b"" if isinstance(code, Reverted) else code)
        except reading.Unreadable as error:
            raise CommandError(f"--existing or --kyc-registry: {error}") from None
        except MalformedLog:
            raise CommandError(f"{contract} on chain {chain[0]} is no token") from None
        except ChainError as error:
            raise CommandError(str(error)) from None
        self._record(chain[0], Deployment(contract, registry, options["from_block"]))
        self.stdout.write(f"{chain[0]} {contract}")

    def _deploy(self, chain_id: int, key: str, options: dict[str, Any]) -> Deployment:
        configured = settings.EVM_CHAINS[chain_id]
        try:
            terms = Terms(
                admin=str(Account.from_key(key).address),
                approver=adapters.approval_signer().address(),
                relayer=RelayerKey.parse(configured.relayer_key.reveal()).address,
                max_per_transaction=options["max_per_transaction"] * TOKEN,
                total_cap=options["total_cap"] * TOKEN,
            )
            return deploy(configured.rpc_urls[0], chain_id=chain_id, deployer_key=key, terms=terms)
        except (ChainError, DeploymentError, NotCompiled) as error:
            raise CommandError(str(error)) from None
        except (Web3Exception, requests.RequestException) as error:
            # Their texts may hold the provider's URL with its key.
            raise CommandError(f"chain {chain_id}: {type(error).__name__}") from None

    def _record(self, chain_id: int, done: Deployment) -> None:
        named = settings.EVM_CHAINS[chain_id].contract
        if named and named.lower() != done.contract.lower():
            raise CommandError(
                f"STABLECOIN_CONTRACT_ADDRESS_{chain_id} names {named}, and these terms give"
                f" {done.contract}"
            )
        with transaction.atomic():
            chain, _ = Chain.objects.get_or_create(
                chain_id=chain_id, defaults={"name": f"Kadena EVM {chain_id}"}
            )
            if chain.contract == done.contract:
                return
            if chain.contract:
                raise CommandError(
                    f"chain {chain_id} has a contract at {chain.contract} already; with these terms"
                    f" it would be {done.contract}. A stablecoin is not moved by deploying it anew."
                )
            chain.profile = settings.EVM_CHAINS[chain_id].profile
            chain.contract, chain.kyc_registry = done.contract, done.kyc_registry
            chain.deployed_block = done.block_number
            chain.save()
            audit.record(
                actor="command:deploy_stablecoin",
                action="chain.deploy",
                object=f"chain:{chain_id}",
                after={"contract": done.contract, "block": done.block_number},
            )


def _deployer_key() -> str:
    path = os.environ.get(f"{KEY}_FILE")
    try:
        key = Path(path).read_text().strip() if path else os.environ.get(KEY, "")
    except OSError as error:
        raise CommandError(f"{KEY}_FILE cannot be read ({type(error).__name__})") from None
    try:
        RelayerKey.parse(key)
    except ChainError:
        raise CommandError(f"{KEY} is not set, or no private key") from None
    return key
