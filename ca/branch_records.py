"""The ports to what a branch keeps: customers, U-Shields, applications with their evidence, codes, revocations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.applications import Application
from ca.domain.batches import Batch
from ca.domain.case_contents import FormerCase
from ca.domain.codes import CodePair
from ca.domain.customers import Customer
from ca.domain.decisions import Evidence
from ca.domain.devices import Device
from ca.domain.revocation_cases import RevocationCase


class Customers(Protocol):
    def get(self, customer_id: str) -> Customer:
        """Raise NotFound if there is none."""

    def find_by_number(self, number: str) -> Customer | None: ...

    def list_by_company(self, company: str) -> Sequence[Customer]:
        """The people who act for a company, in the order of their numbers."""

    def save(self, customer: Customer) -> None: ...


class Devices(Protocol):
    def find(self, serial: str) -> Device | None:
        """Locks the row in PostgreSQL: two operators who assign one U-Shield take turns."""

    def list_by_customer(self, customer: str) -> Sequence[Device]:
        """Those that a customer was handed, in the order of their serial numbers."""

    def save(self, device: Device) -> None: ...


class Applications(Protocol):
    def get(self, application_id: str) -> tuple[Application, bytes]:
        """The application and the seal over its case. Raise NotFound if there is none. Locks the row in PostgreSQL."""

    def save(self, application: Application, seal: bytes) -> None: ...

    def set_state(self, application: Application) -> None:
        """Save state, reason and time; the case and its seal stay."""

    def list_by_device(self, device_serial: str) -> Sequence[Application]:
        """Every application that names this U-Shield."""

    def list_by_customer(self, customer: str) -> Sequence[Application]:
        """Every application of a customer, the youngest first."""

    def add_former(self, former: FormerCase, seal: bytes) -> None: ...

    def list_former(self, application_id: str) -> Sequence[tuple[FormerCase, bytes]]:
        """Versions of its case that were returned, the first one first, with the seals over them."""

    def add_evidence(self, application_id: str, evidence: Evidence) -> None: ...

    def list_evidence(self, application_id: str) -> Sequence[Evidence]: ...


class Batches(Protocol):
    def get(self, batch_id: str) -> tuple[Batch, bytes]:
        """The batch and the seal over it. Raise NotFound if there is none."""

    def add(self, batch: Batch, seal: bytes) -> None: ...


class Codes(Protocol):
    def find(self, reference: str) -> CodePair | None:
        """Locks the row in PostgreSQL: two downloads with one code take turns."""

    def find_for_application(self, application_id: str) -> CodePair | None:
        """The newest pair of the application. Locks the row in PostgreSQL."""

    def save(self, pair: CodePair) -> None: ...

    def list_open_expired(self, now: datetime) -> Sequence[CodePair]: ...


class RevocationCases(Protocol):
    """Revocations that wait or waited for a second officer, with their seals; the use cases check the seal.

    Nothing is locked: who decides on one holds the lock of its certificate.
    """

    def find(self, case_id: str) -> tuple[RevocationCase, bytes] | None: ...

    def list_of(self, serial: int) -> Sequence[tuple[RevocationCase, bytes]]:
        """All about a certificate, the youngest first. Raise Tampered for a row that no case can be read from."""

    def save(self, case: RevocationCase, seal: bytes) -> None:
        """Raise InvalidTransition unless the record there is older."""
