"""Settings: base, and one module per place Fairlane runs in."""
