"""The weekly report: an immutable page per ISO week that a person without statistics can read."""
