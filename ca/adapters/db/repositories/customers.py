"""Customers and their U-Shields in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.people import customer_values, device_values, to_customer, to_device
from ca.adapters.db.names import file_name
from ca.adapters.db.repositories.statements import find_row, list_rows, put_row
from ca.adapters.db.rows import CustomerRow, DeviceRow
from ca.domain.customers import Customer
from ca.domain.devices import Device
from ca.domain.errors import NotFound


class SqlCustomers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, customer_id: str) -> Customer:
        row = find_row(self._session, select(CustomerRow).where(CustomerRow.id == customer_id))
        if row is None:
            raise NotFound(f"there is no customer {customer_id}")
        return to_customer(row)

    def find_by_number(self, number: str) -> Customer | None:
        row = find_row(self._session, select(CustomerRow).where(CustomerRow.number == number))
        return to_customer(row) if row else None

    def list_by_company(self, company: str) -> Sequence[Customer]:
        wanted = select(CustomerRow).where(CustomerRow.company == company).order_by(CustomerRow.number)
        return [to_customer(row) for row in list_rows(self._session, wanted)]

    def save(self, customer: Customer) -> None:
        put_row(
            self._session,
            CustomerRow,
            {"id": customer.id},
            customer_values(customer),
            refusal=f"a customer with the number {customer.number} is registered already",
        )
        file_name(self._session, customer.id)


class SqlDevices:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, serial: str) -> Device | None:
        row = find_row(self._session, select(DeviceRow).where(DeviceRow.serial == serial), lock=True)
        return to_device(row) if row else None

    def list_by_customer(self, customer: str) -> Sequence[Device]:
        wanted = select(DeviceRow).where(DeviceRow.customer == customer).order_by(DeviceRow.serial)
        return [to_device(row) for row in list_rows(self._session, wanted)]

    def save(self, device: Device) -> None:
        put_row(
            self._session,
            DeviceRow,
            {"id": device.id},
            device_values(device),
            refusal=f"U-Shield {device.serial} is registered already",
        )
