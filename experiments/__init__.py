"""The domain: a folder per slice of the life of an experiment, no web, no scheduler."""
