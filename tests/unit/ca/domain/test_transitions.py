"""Lives as tables: applications, certificates, U-Shields, officers (DESIGN section 5)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain import applications, bindings, certificates, custody, devices, officers, proposals, revocation_cases
from ca.domain.applications import ApplicationState
from ca.domain.certificates import Certificate, CertificateStatus, standing
from ca.domain.companies import Asked
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidTransition, NotAllowed
from ca.domain.officers import OfficerState
from ca.domain.revocation import Revocation, RevocationReason
from tests.builders import NOW, a_case, a_certificate, a_device, an_application, an_officer

TABLES = {
    "application": applications.transitions(),
    "binding": bindings.transitions(),
    "certificate": certificates.transitions(),
    "custody": custody.transitions(),
    "device": devices.transitions(),
    "officer": officers.transitions(),
    "proposal": proposals.transitions(),
    "revocation": revocation_cases.transitions(),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_has_its_row(table: Mapping[Any, frozenset[Any]]) -> None:
    kind: Any = type(next(iter(table)))
    assert set(table) == set(kind)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_can_be_reached_and_something_is_final(table: Mapping[Any, frozenset[Any]]) -> None:
    first = next(iter(table))
    assert frozenset().union(*table.values()) | {first} == set(table)
    assert [state for state, following in table.items() if not following]


def test_a_table_that_was_given_out_changes_nothing() -> None:
    applications.transitions().clear()
    assert applications.transitions()


@pytest.mark.parametrize("wanted", ApplicationState)
@pytest.mark.parametrize("state", ApplicationState)
def test_applications_keep_to_their_table(state: ApplicationState, wanted: ApplicationState) -> None:
    application = an_application(state=state)
    if wanted in applications.transitions()[state]:
        became = application.become(wanted, at=NOW, reason="why")
        assert (became.state, became.reason, became.updated_at) == (wanted, "why", NOW)
    else:
        with pytest.raises(InvalidTransition, match=f"is {state.value} cannot become {wanted.value}"):
            application.become(wanted, at=NOW)


def test_a_reason_once_given_stays() -> None:
    application = an_application(reason="first").become(ApplicationState.APPROVED, at=NOW)
    assert application.reason == "first"


@pytest.mark.parametrize("wanted", DeviceState)
@pytest.mark.parametrize("state", DeviceState)
def test_u_shields_keep_to_their_table(state: DeviceState, wanted: DeviceState) -> None:
    device = a_device(state=state)
    if wanted in devices.transitions()[state]:
        assert device.become(wanted).state is wanted
    else:
        with pytest.raises(InvalidTransition, match=f"is {state.value} and cannot become {wanted.value}"):
            device.become(wanted)


def test_a_u_shield_is_assigned_to_a_customer() -> None:
    assigned = a_device().assign("customer-9")
    assert (assigned.state, assigned.customer) == (DeviceState.ASSIGNED, "customer-9")


def test_a_u_shield_back_in_stock_is_nobodys() -> None:
    back = a_device().assign("customer-9").unassign()
    assert back == a_device()


def test_a_destroyed_u_shield_stays_destroyed() -> None:
    assert devices.transitions()[DeviceState.DESTROYED] == frozenset()


def test_only_a_real_token_tells_its_serial_number() -> None:
    assert a_device().token_serial == a_device().serial
    assert a_device(model="SoftHSM demo").token_serial == ""


@pytest.mark.parametrize("wanted", OfficerState)
@pytest.mark.parametrize("state", OfficerState)
def test_officers_keep_to_their_table(state: OfficerState, wanted: OfficerState) -> None:
    officer = an_officer(state=state)
    if wanted in officers.transitions()[state]:
        assert (officer.become(wanted).state, officer.become(wanted).version) == (wanted, officer.version + 1)
    else:
        with pytest.raises(InvalidTransition):
            officer.become(wanted)


@pytest.mark.parametrize("status", CertificateStatus)
def test_certificates_keep_to_their_table(status: CertificateStatus) -> None:
    hold = Revocation(RevocationReason.CERTIFICATE_HOLD, NOW)
    certificate = a_certificate(status=status, revocation=hold if status is CertificateStatus.ON_HOLD else None)
    acts: dict[str, tuple[Callable[[], Certificate], set[CertificateStatus]]] = {
        "confirm": (lambda: certificate.confirm(at=NOW), {CertificateStatus.UNCONFIRMED}),
        "suspend": (lambda: certificate.suspend(at=NOW), {CertificateStatus.ACTIVE}),
        "resume": (certificate.resume, {CertificateStatus.ON_HOLD}),
        "revoke": (
            lambda: certificate.revoke(RevocationReason.UNSPECIFIED, at=NOW),
            set(CertificateStatus) - {CertificateStatus.REVOKED},
        ),
    }
    done = set()
    for name, (act, _) in acts.items():
        try:
            became = act()
        except InvalidTransition:
            continue
        assert became.status in certificates.transitions()[status]
        done.add(name)
    assert done == {name for name, (_, allowed) in acts.items() if status in allowed}


def test_a_certificate_holds_to_its_last_second() -> None:
    certificate = a_certificate()
    assert not certificate.is_expired(certificate.not_after)
    assert certificate.is_expired(certificate.not_after + timedelta(seconds=1))


def test_ocsp_and_crl_have_one_rule_for_what_is_seen() -> None:
    revocation = Revocation(RevocationReason.SUPERSEDED, NOW)
    assert standing(CertificateStatus.ACTIVE, NOW, None) is None
    assert standing(CertificateStatus.REVOKED, NOW, revocation) is revocation
    assert standing(CertificateStatus.UNCONFIRMED, NOW, None) == Revocation(RevocationReason.CERTIFICATE_HOLD, NOW)


# The case


_ANOTHER: dict[str, Any] = {
    "application": "x",
    "version": 2,
    "profile": "x",
    "profile_digest": "x",
    "customer": "x",
    "customer_number": "x",
    "customer_name": "x",
    "document_number": "x",
    "subject": (("common_name", "x"),),
    "alternative_names": (("dns", "x"),),
    "device_serial": "x",
    "validity": timedelta(days=1),
    "branch": "x",
    "maker_person": "x",
    "maker_name": "x",
    "submitted_at": NOW + timedelta(seconds=1),
    "company": "x",
    "batch": "x",
    "asked": Asked("a1", "", "00", "00"),
    "addresses": ("li@bank.example",),
}


def test_the_table_of_changes_names_every_field() -> None:
    assert set(_ANOTHER) == set(a_case().__slots__)


@pytest.mark.parametrize("field", _ANOTHER)
def test_changing_any_field_of_a_case_changes_its_digest_and_its_seal(field: str) -> None:
    case = a_case()
    changed = replace(case, **{field: _ANOTHER[field]})
    assert changed.digest() != case.digest()
    assert changed.sealed_fields() != case.sealed_fields()


def test_the_maker_is_not_another_person() -> None:
    application = an_application()
    application.require_other_person("somebody else")
    with pytest.raises(NotAllowed):
        application.require_other_person(application.case.maker_person)
