"""From exposures and events to frozen readouts: moments, estimates, checks, one run per look."""
