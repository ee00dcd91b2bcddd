"""Fixtures of the kernel's tests."""

from fairlane.core.tests.access_fixtures import *  # noqa: F403
