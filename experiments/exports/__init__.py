"""Everything that was measured, as files for other tools."""
