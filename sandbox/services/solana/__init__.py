"""A single Solana node on this machine: JSON-RPC and WebSocket over LiteSVM, with a durable ledger.

It speaks the protocol of an Agave node to unmodified clients; only `/faults` and `/memos` are its
own. Run it with ``python -m sandbox.services.solana --help``.
"""
