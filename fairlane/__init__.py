"""Fairlane: swap orders on Solana, executed once and accounted for."""
