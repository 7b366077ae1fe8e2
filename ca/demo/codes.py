"""`./pki demo codes`: demo customers registered, applied for and approved by two demo officers, codes handed out."""

import secrets
from collections.abc import Iterator
from typing import Any

from ca import case_operations as case_ops
from ca import operations as ops
from ca.demo.officers import CHECKER, MAKER, DemoOfficer, DemoOfficers
from ca.domain.devices import SOFTWARE_TOKEN
from ca.portal_operations import HandDeviceToCompany

_KINDS = {
    "personal-signing": "person",
    "corporate-operator": "company",
    "machine": "system",
    "tls-server": "system",
    "officer": "person",
    "company-administrator": "person",
    "company-operator": "person",
}
_PEOPLE = ("Zhang Wei", "王芳", "Li Qiang", "刘洋", "Chen Jing", "赵敏", "Yang Lei", "周杰")
_OF_COMPANY = frozenset({"company-administrator", "company-operator"})
_WITH_DEVICE = frozenset({"personal-signing", "corporate-operator", "officer"}) | _OF_COMPANY
_FREE_DEVICES = 2
"""So many U-Shields a demo company has for operators to come."""
_WITH_MAIL = frozenset({"personal-signing"}) | _OF_COMPANY
_WITH_HOST = frozenset({"machine", "tls-server"})


def make_codes(
    officers: DemoOfficers, profile: str, count: int, *, device_serial: str = "", host_names: tuple[str, ...] = ()
) -> Iterator[dict[str, Any]]:
    """One dict a pair of codes: reference_number, authorization_code, profile, subject, device_serial.

    For the people of a company also company (its customer number) and company_devices (free U-Shields of it).
    """
    maker, checker = officers[MAKER], officers[CHECKER]
    for _ in range(count):
        number = f"{secrets.randbelow(10**10):010d}"
        of_company = _company(maker, number) if profile in _OF_COMPANY else {}
        customer = maker.call(
            ops.RegisterCustomer,
            kind=_KINDS.get(profile, "person"),
            number=f"D{number}",
            name=_name(profile, number),
            document_number=f"ID{number}",
            email=f"customer{number}@demo.example" if profile in _WITH_MAIL else "",
            phone=f"+86138{number[:8]}" if profile in _WITH_MAIL else "",
            company=of_company.get("company", ""),
        )["customer"]
        serial = ""
        if profile in _WITH_DEVICE:
            serial = device_serial or f"US{number}"
            model = "U-Shield" if device_serial else f"{SOFTWARE_TOKEN} token"
            maker.call(ops.RegisterDevice, serial=serial, model=model)
        hosts = list(host_names or (f"host-{number}.demo.example",)) if profile in _WITH_HOST else []
        application = maker.call(
            case_ops.SubmitApplication, customer=customer, profile=profile, device_serial=serial, host_names=hosts
        )["application"]
        checker.approve(application)
        codes = maker.call(ops.HandOutCodes, application=application)
        shown = maker.call(case_ops.ShowCase, application=application)["case"]
        yield {
            "reference_number": codes["reference_number"],
            "authorization_code": codes["authorization_code"],
            "profile": profile,
            "subject": ", ".join(f"{attribute}={text}" for attribute, text in shown["subject"]),
            "device_serial": serial,
            **of_company,
        }


def _company(maker: DemoOfficer, number: str) -> dict[str, Any]:
    """A company with U-Shields of its own."""
    company, devices = f"C{number}", [f"US{number}{place}" for place in range(1, _FREE_DEVICES + 1)]
    maker.call(
        ops.RegisterCustomer,
        kind="company",
        number=company,
        name=_name("corporate-operator", number),
        document_number=f"BL{number}",
    )
    for serial in devices:
        maker.call(ops.RegisterDevice, serial=serial, model=f"{SOFTWARE_TOKEN} token")
        maker.call(HandDeviceToCompany, number=company, serial=serial)
    return {"company": company, "company_devices": devices}


def _name(profile: str, number: str) -> str:
    if profile == "corporate-operator":
        return f"Demo Trading {number[:4]} Ltd"
    if profile in _WITH_HOST:
        return f"Demo system {number[:4]}"
    return _PEOPLE[int(number) % len(_PEOPLE)]
