"""SQLite and PostgreSQL keep the contract of every repository."""

from tests.contracts.work import WorkContract


class TestSqlWork(WorkContract):
    """The contract, on both databases."""
