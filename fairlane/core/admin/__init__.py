"""The back office of the kernel."""

from fairlane.core.admin import access, api_keys, records, schedule, sign_in, switches

__all__ = ["access", "api_keys", "records", "schedule", "sign_in", "switches"]
