"""The table of scheduled jobs, each safe to run twice, and the lease that lets only one run."""
