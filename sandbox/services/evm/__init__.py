"""EVM chains, each behind two RPC providers that misbehave on demand."""
