"""Fairlane: crypto orders that are executed once and accounted for to the last base unit."""

import sys

import py_ecc  # noqa: F401

# py_ecc, which eth_account brings, raises the limit to 100,000 when it is first imported. Nested
# JSON from a client would then overflow the C stack, and end the process, before it is refused.
sys.setrecursionlimit(1_000)
