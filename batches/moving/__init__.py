"""The stages of transfers between owners and the vault: pack, send, land."""
