"""The compliance service: it approves mints, and tells of them in its own unreliable way."""
