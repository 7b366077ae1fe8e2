"""What every database must do. A test module makes it run by a subclass and a fixture `unit_of_work`:

class TestSQLite(WorkContract): ...
"""

import pytest

from ca.domain.errors import NotFound
from ca.ports import UnitOfWork
from tests.builders import a_customer, a_device, an_event
from tests.contracts.cases import ApplicationsContract, BatchesContract, CodesContract, IntentsContract
from tests.contracts.certificates import CertificatesContract
from tests.contracts.figures import FiguresContract
from tests.contracts.officers import BindingsContract, OfficerChangesContract, RecoveryCodesContract
from tests.contracts.people import (
    ChallengesContract,
    CustomersContract,
    DevicesContract,
    InvitationsContract,
    OfficersContract,
    SessionsContract,
)
from tests.contracts.portal import AccountsContract, CancellationsContract, CustomerSessionsContract, UnlocksContract
from tests.contracts.profiles import PolicyVersionsContract, ProfileVersionsContract, ToolCasesContract
from tests.contracts.records import (
    AuditLogContract,
    BlockedKeysContract,
    BundlesContract,
    CRLsContract,
    IssuersContract,
    JobsContract,
)
from tests.contracts.revocation_cases import RevocationCasesContract
from tests.contracts.stock import StockContract


class TransactionContract:
    def test_leaving_without_commit_leaves_nothing(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.audit.append(an_event())

        with unit_of_work() as work:
            assert work.customers.find_by_number(a_customer().number) is None
            assert list(work.audit.read()) == []
            assert work.audit.head().number == 0

    def test_an_error_undoes_everything_since_the_last_commit(self, unit_of_work: UnitOfWork) -> None:
        def fail_half_way() -> None:
            with unit_of_work() as work:
                work.customers.save(a_customer())
                work.commit()
                work.devices.save(a_device())
                work.customers.get("nobody")

        with pytest.raises(NotFound):
            fail_half_way()

        with unit_of_work() as work:
            assert work.customers.get("customer-1") == a_customer()
            assert work.devices.find(a_device().serial) is None

    def test_a_transaction_can_go_on_after_a_commit(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.commit()
            work.devices.save(a_device())
            work.commit()

        with unit_of_work() as work:
            assert work.customers.get("customer-1") == a_customer()
            assert work.devices.find(a_device().serial) == a_device()

    def test_what_was_read_before_sees_what_was_written_after(self, unit_of_work: UnitOfWork) -> None:
        renamed = a_customer(name="Kiss Anna")

        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.customers.get("customer-1")
            work.customers.save(renamed)

            assert work.customers.get("customer-1") == renamed
            assert work.customers.find_by_number(renamed.number) == renamed


class WorkContract(
    TransactionContract,
    AccountsContract,
    CustomerSessionsContract,
    CancellationsContract,
    UnlocksContract,
    OfficerChangesContract,
    BindingsContract,
    RecoveryCodesContract,
    PolicyVersionsContract,
    ProfileVersionsContract,
    ToolCasesContract,
    RevocationCasesContract,
    CustomersContract,
    DevicesContract,
    OfficersContract,
    InvitationsContract,
    SessionsContract,
    ChallengesContract,
    ApplicationsContract,
    BatchesContract,
    CodesContract,
    CertificatesContract,
    IntentsContract,
    IssuersContract,
    BundlesContract,
    CRLsContract,
    BlockedKeysContract,
    AuditLogContract,
    JobsContract,
    StockContract,
    FiguresContract,
):
    """All of it."""
