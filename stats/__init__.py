"""Mathematics only: sufficient statistics in, estimates or `NotEstimable(reason)` out."""
