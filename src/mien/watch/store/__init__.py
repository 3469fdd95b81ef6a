"""Where visits are kept: a database, and the outbox before it."""
