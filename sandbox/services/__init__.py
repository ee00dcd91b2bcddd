"""Servers of the outside world, each a process of its own."""
