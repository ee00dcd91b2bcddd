"""The stages of a tick: close, commit, clear, settle."""
