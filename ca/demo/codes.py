"""`./pki demo codes`: demo customers registered, applied for and approved by two demo officers, codes handed out."""

import secrets
from collections.abc import Iterator
from typing import Any

from ca import operations as ops
from ca.demo.officers import CHECKER, MAKER, DemoOfficers
from ca.domain.devices import SOFTWARE_TOKEN

_KINDS = {
    "personal-signing": "person",
    "corporate-operator": "company",
    "machine": "system",
    "tls-server": "system",
    "officer": "person",
}
_PEOPLE = ("Zhang Wei", "王芳", "Li Qiang", "刘洋", "Chen Jing", "赵敏", "Yang Lei", "周杰")
_WITH_DEVICE = frozenset({"personal-signing", "corporate-operator", "officer"})
_WITH_HOST = frozenset({"machine", "tls-server"})


def make_codes(
    officers: DemoOfficers, profile: str, count: int, *, device_serial: str = "", host_names: tuple[str, ...] = ()
) -> Iterator[dict[str, Any]]:
    """One dict a pair of codes: reference_number, authorization_code, profile, subject, device_serial."""
    maker, checker = officers[MAKER], officers[CHECKER]
    for _ in range(count):
        number = f"{secrets.randbelow(10**10):010d}"
        customer = maker.call(
            ops.RegisterCustomer,
            kind=_KINDS.get(profile, "person"),
            number=f"D{number}",
            name=_name(profile, number),
            document_number=f"ID{number}",
            email=f"customer{number}@demo.example" if profile == "personal-signing" else "",
        )["customer"]
        serial = ""
        if profile in _WITH_DEVICE:
            serial = device_serial or f"US{number}"
            model = "U-Shield" if device_serial else f"{SOFTWARE_TOKEN} token"
            maker.call(ops.RegisterDevice, serial=serial, model=model)
        hosts = list(host_names or (f"host-{number}.demo.example",)) if profile in _WITH_HOST else []
        application = maker.call(
            ops.SubmitApplication, customer=customer, profile=profile, device_serial=serial, host_names=hosts
        )["application"]
        checker.approve(application)
        codes = maker.call(ops.HandOutCodes, application=application)
        shown = maker.call(ops.ShowCase, application=application)["case"]
        yield {
            "reference_number": codes["reference_number"],
            "authorization_code": codes["authorization_code"],
            "profile": profile,
            "subject": ", ".join(f"{attribute}={text}" for attribute, text in shown["subject"]),
            "device_serial": serial,
        }


def _name(profile: str, number: str) -> str:
    if profile == "corporate-operator":
        return f"Demo Trading {number[:4]} Ltd"
    if profile in _WITH_HOST:
        return f"Demo system {number[:4]}"
    return _PEOPLE[int(number) % len(_PEOPLE)]
