"""The one error the sandbox shows to people."""


class SandboxError(Exception):
    """Something a person can put right; the message says what happened and what to do."""
