"""The outside world of Fairlane on one machine: databases, a Solana node, makers, traffic."""
