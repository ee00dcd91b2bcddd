"""Measures Fairlane on this machine: `make bench`."""
