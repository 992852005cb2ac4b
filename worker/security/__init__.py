"""Who may do what: permissions and roles, passwords, API tokens, sessions."""
