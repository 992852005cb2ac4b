"""What workers say of themselves in PostgreSQL: a probe that holds where a ping over the broker still answers."""
