"""Fixtures of the kernel's tests."""

from fairlane.core.tests.access_fixtures import fresh_process, issue_key, operator

__all__ = ["fresh_process", "issue_key", "operator"]
