"""What follows from a readout: a pure gate with a trace, and promotion as a merge."""
