"""ca/usecases/apply.py, customers.py, devices.py: the counter. Profile and register decide what is asked for."""

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, NotFound, ProfileViolation
from tests.fakes.bank import AUDITOR, BRANCH, HOTLINE, MARIA, PAVEL, SECURITY, STRANGER, SUPERVISOR, Bank


def submit(bank: Bank, *, person: str = MARIA, **changes: object) -> str:
    asked: dict[str, object] = {"profile": "machine", "device_serial": "", "host_names": ["host.example"]}
    asked["customer"] = changes.pop("customer", None) or bank.customer()
    return bank.submit(bank.session(person), **(asked | changes)).id  # type: ignore[arg-type]  # what a test overrides


def test_a_case_says_who_entered_what_under_which_profile(bank: Bank) -> None:
    application = bank.application(bank.submitted(maker=MARIA))
    case = application.case
    assert application.state is ApplicationState.SUBMITTED
    assert (case.maker_person, case.branch, case.submitted_at) == (MARIA, BRANCH, bank.clock.now())
    assert case.profile_digest == bank.profiles["personal-signing"].digest
    assert dict(case.subject)["common_name"] == "张伟"
    assert bank.event_names[-1] == "application.submitted"


def test_document_numbers_stay_out_of_the_audit_log(bank: Bank) -> None:
    bank.submitted()
    assert "ID1" not in str(bank.unit_of_work.events)


@pytest.mark.parametrize("person", [SUPERVISOR, HOTLINE, SECURITY, AUDITOR])
def test_only_operators_enter_applications(bank: Bank, person: str) -> None:
    with pytest.raises(NotAllowed, match="ra-operator"):
        submit(bank, person=person)


def test_without_a_session_nothing_is_entered(bank: Bank) -> None:
    customer = bank.customer()
    with pytest.raises(NotAuthenticated):
        bank.submit("no session", customer=customer, profile="machine", device_serial="", host_names=["a.example"])


def test_another_branchs_customer_does_not_exist(bank: Bank) -> None:
    theirs = bank.customer(maker=STRANGER)
    with pytest.raises(NotFound) as elsewhere:
        submit(bank, customer=theirs)
    with pytest.raises(NotFound) as nowhere:
        submit(bank, customer="nobody")
    assert str(elsewhere.value) == str(nowhere.value)


@pytest.mark.parametrize("profile", ["root-ca", "issuing-ca", "ocsp-responder", "no-such-profile", ""])
def test_nobody_applies_for_the_cas_own_certificates(bank: Bank, profile: str) -> None:
    with pytest.raises(InvalidRequest, match="there are company-administrator, company-operator"):
        submit(bank, profile=profile)


def test_a_u_shield_profile_needs_a_u_shield(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="stock"):
        submit(bank, profile="personal-signing", host_names=[])


@pytest.mark.parametrize("maker", [STRANGER, None], ids=["of another branch", "that does not exist"])
def test_a_u_shield_comes_from_the_branchs_own_stock(bank: Bank, maker: str | None) -> None:
    serial = bank.device(maker=maker) if maker else "US404"
    with pytest.raises(InvalidRequest, match="stock"):
        submit(bank, profile="personal-signing", device_serial=serial, host_names=[])


def test_a_profile_without_u_shield_takes_none(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="not bound"):
        submit(bank, device_serial=bank.device())


def test_a_u_shield_is_assigned_with_the_application(bank: Bank) -> None:
    customer, serial = bank.customer(), bank.device()
    submit(bank, customer=customer, profile="personal-signing", device_serial=serial, host_names=[])
    (device,) = bank.stored.devices.values()
    assert (device.state, device.customer) == (DeviceState.ASSIGNED, customer)
    assert "device.assigned" in bank.event_names


def test_a_customers_own_u_shield_serves_again(bank: Bank) -> None:
    customer, serial = bank.customer(), bank.device()
    first = submit(bank, customer=customer, profile="personal-signing", device_serial=serial, host_names=[])
    second = submit(bank, customer=customer, profile="personal-signing", device_serial=serial, host_names=[])
    assert first != second


def test_another_customers_u_shield_is_not_free(bank: Bank) -> None:
    serial = bank.device()
    submit(bank, profile="personal-signing", device_serial=serial, host_names=[])
    with pytest.raises(InvalidRequest, match="not free"):
        submit(bank, profile="personal-signing", device_serial=serial, host_names=[])


def test_a_lost_u_shield_is_not_free(bank: Bank) -> None:
    customer, serial = bank.customer(), bank.device()
    submit(bank, customer=customer, profile="personal-signing", device_serial=serial, host_names=[])
    with bank.unit_of_work() as work:
        work.devices.save(work.devices.find(serial).become(DeviceState.LOST))
        work.commit()
    with pytest.raises(InvalidRequest, match="is lost"):
        submit(bank, customer=customer, profile="personal-signing", device_serial=serial, host_names=[])


def test_a_host_profile_needs_host_names(bank: Bank) -> None:
    # The common name is the first host name: the subject finds it missing first.
    with pytest.raises(ProfileViolation, match="host_name"):
        submit(bank, host_names=[])


def test_a_host_profile_needs_host_names_though_its_subject_has_none(bank: Bank) -> None:
    (country, *_) = bank.profiles["machine"].subject
    bank.amend("machine", subject=(country,))
    with pytest.raises(InvalidRequest, match="at least one host name"):
        submit(bank, host_names=[])


@pytest.mark.parametrize("host", ["*.example", "10.0.0.1", "UPPER.example", "a..example", "a.example\x00.evil", ""])
def test_a_host_name_is_one_host(bank: Bank, host: str) -> None:
    with pytest.raises(InvalidRequest):
        submit(bank, host_names=["good.example", host])


def test_the_same_host_name_twice_is_found_at_the_counter(bank: Bank) -> None:
    # Found at the download, the customer would hold codes that never work.
    with pytest.raises(InvalidRequest, match="twice"):
        submit(bank, host_names=["a.example", "b.example", "a.example"])


def test_a_profile_for_people_has_no_host_names(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="no host names"):
        submit(bank, profile="personal-signing", device_serial=bank.device())


def test_the_address_of_the_register_goes_into_the_case(bank: Bank) -> None:
    with_address = bank.submitted(customer=bank.customer(email="wei@bank.example"))
    without = bank.submitted(customer=bank.customer())
    assert bank.application(with_address).case.alternative_names == (("email", "wei@bank.example"),)
    assert bank.application(without).case.alternative_names == ()


def test_a_name_that_does_not_fit_is_found_at_the_counter(bank: Bank) -> None:
    with pytest.raises(InvalidRequest):
        submit(bank, host_names=["a" * 60 + ".example.example"])


# Customers


def register(bank: Bank, *, person: str = MARIA, **changes: str) -> str:
    asked = {"kind": "person", "number": "100", "name": "张伟", "document_number": "ID1", "email": ""} | changes
    return bank.register_customer(bank.session(person), **asked).id


def test_a_customer_is_registered_at_the_officers_branch(bank: Bank) -> None:
    identifier = register(bank, email="wei@bank.example")
    customer = bank.stored.customers[identifier]
    assert (customer.branch, customer.registered_by, customer.email) == (BRANCH, MARIA, "wei@bank.example")
    assert bank.event_names[-1] == "customer.registered"


@pytest.mark.parametrize("person", [HOTLINE, SECURITY, AUDITOR])
def test_only_the_counter_registers_customers(bank: Bank, person: str) -> None:
    with pytest.raises(NotAllowed):
        register(bank, person=person)


def test_a_supervisor_registers_customers_too(bank: Bank) -> None:
    assert register(bank, person=SUPERVISOR) in bank.stored.customers


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "alien"},
        {"name": ""},
        {"name": " Wei"},
        {"name": "Wei\u202e"},
        {"name": "W*i"},
        {"number": "1\n2"},
        {"document_number": "\x00"},
        {"email": "not an address"},
        {"name": "w" * 65},
    ],
    ids=str,
)
def test_what_is_not_tidy_is_not_registered(bank: Bank, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        register(bank, **wrong)
    assert bank.stored.customers == {}


def test_a_customer_number_is_registered_once_in_whatever_form_it_is_typed(bank: Bank) -> None:
    register(bank, number="Z\u00fc1")
    with pytest.raises(InvalidRequest, match="registered already"):
        register(bank, number="Zu\u03081")


def test_a_name_typed_in_parts_can_be_certified(bank: Bank) -> None:
    customer = register(bank, name="Zu\u0308rcher")
    assert bank.stored.customers[customer].name == "Z\u00fcrcher"
    assert bank.application(bank.submitted(customer=customer)).case.customer_name == "Z\u00fcrcher"


# U-Shields


def test_a_u_shield_enters_the_officers_stock(bank: Bank) -> None:
    device = bank.register_device(bank.session(MARIA), serial="US1", model="U-Shield 2")
    assert (device.branch, device.state, device.registered_by) == (BRANCH, DeviceState.IN_STOCK, MARIA)
    assert bank.event_names[-1] == "device.registered"


@pytest.mark.parametrize("person", [PAVEL, STRANGER])
def test_a_u_shield_is_registered_once_at_whatever_branch(bank: Bank, person: str) -> None:
    bank.device(serial="US1")
    with pytest.raises(InvalidRequest, match="registered already"):
        bank.register_device(bank.session(person), serial="US1", model="U-Shield 2")


@pytest.mark.parametrize("serial", ["", "US\u200b1", "US 1 "])
def test_a_u_shield_has_a_visible_serial_number(bank: Bank, serial: str) -> None:
    with pytest.raises(InvalidRequest):
        bank.register_device(bank.session(MARIA), serial=serial, model="U-Shield 2")


def test_only_the_counter_takes_u_shields_into_stock(bank: Bank) -> None:
    with pytest.raises(NotAllowed):
        bank.register_device(bank.session(AUDITOR), serial="US1", model="U-Shield 2")
