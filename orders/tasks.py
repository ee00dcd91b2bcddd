"""Tasks of the orders app: each is a wake-up of a stage and nothing else."""

from celery import shared_task

from orders import stages
from orders.stage_names import BUILD, CONFIRM, ROUTE, SUBMIT


@shared_task(name="orders.route")
def route() -> None:
    """Route every order that is due; a run that finds none costs two queries."""
    stages.stage(ROUTE).run()


@shared_task(name="orders.build")
def build() -> None:
    """Build and sign the transaction of every order that is due."""
    stages.stage(BUILD).run()


@shared_task(name="orders.submit")
def submit() -> None:
    """Send every signed transaction that is due."""
    stages.stage(SUBMIT).run()


@shared_task(name="orders.confirm")
def confirm() -> None:
    """Look up every sent transaction that is due."""
    stages.stage(CONFIRM).run()
