"""How what sites send reaches the database: by group commit, durable before it is acknowledged."""
