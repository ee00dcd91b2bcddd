"""Fairlane's own programs, interruptible at their checkpoints."""
