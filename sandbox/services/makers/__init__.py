"""An RFQ market maker: firm quotes at a moving price, and co-signatures for swaps at them."""
