"""Fair batches: orders collected until a cutoff, committed to on chain, cleared at one price.

This is the pure core: no Django, no database, no network. Anyone can run it to verify a batch.
"""
