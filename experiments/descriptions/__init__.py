"""What describes an experiment and decides nothing: time to convert, projection, groups."""
