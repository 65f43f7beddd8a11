"""Who may do what: actions, roles, the rules that join them, and tokens that say who calls. Denied unless allowed."""
