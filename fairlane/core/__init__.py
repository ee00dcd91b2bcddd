"""The kernel every app stands on."""
