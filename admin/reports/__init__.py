"""Counting what the branches and the CA did: one module a subject, and no page. Rows are grouped in the database."""
