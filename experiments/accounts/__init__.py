"""Who may do what: people with a role and a password, and tokens with scopes for machines."""
