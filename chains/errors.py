"""Errors of the outside world, by the reaction they ask for."""


class ChainError(Exception):
    """Anything an adapter raises. The text is safe to log and to show: it holds no secrets."""


class Transient(ChainError):
    """Nothing happened, or nothing that matters: the same call may be repeated later."""


class Definitive(ChainError):
    """The same call will fail the same way: give up, or change what is asked."""


class Ambiguous(ChainError):
    """It may have happened: look at the chain before doing anything else."""
