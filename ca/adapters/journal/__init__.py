"""What is kept of the audit log outside the database: the journal, its mirror, and signed checkpoints."""
