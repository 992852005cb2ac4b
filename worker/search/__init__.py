"""Search: vectors in two languages that follow every edit, and queries that find with them."""
