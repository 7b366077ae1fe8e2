"""ca/usecases/key_birth.py: a key that was not born on its U-Shield is refused; silence is an alarm (ADR 0043)."""

import pytest

from ca.domain import der
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.errors import InvalidRequest, KeyNotBornOnDevice
from ca.domain.requests import CertificationRequest
from ca.domain.stock import Alarm, AlarmKind
from tests.drafts import BORN, a_request, saying
from tests.fakes.bank import Bank, new_key, request_like

SILENT = der.tlv(0xA0)
IMPORTED = saying(BORN.replace(" local=yes", " local=no"))
TAKEN_OUT = saying(BORN.replace(" extractable=no", " extractable=yes"))


def alarms(bank: Bank) -> list[Alarm]:
    return [one for one in bank.stored.alarms.values() if one.kind is AlarmKind.NOT_BORN_HERE]


def test_a_key_that_is_said_to_be_born_on_the_u_shield_raises_no_alarm(bank: Bank) -> None:
    certificate = bank.issued()
    assert alarms(bank) == []
    kept = CertificationRequest.parse(bank.stored.intents[certificate.serial].request_der)
    assert kept.birth is not None


@pytest.mark.parametrize(
    ("attributes", "flaw"), [(IMPORTED, "not made on the U-Shield"), (TAKEN_OUT, "taken out of the U-Shield")]
)
def test_one_that_was_made_elsewhere_or_can_leave_is_refused_and_an_alarm(
    bank: Bank, attributes: bytes, flaw: str
) -> None:
    codes = bank.codes()

    with pytest.raises(KeyNotBornOnDevice, match=f"{flaw}.*codes are still good.*branch"):
        bank.download(codes, a_request(attributes=attributes))

    assert bank.signatures == []
    assert bank.pair(codes).state is CodeState.OPEN
    assert bank.state(codes.application) is ApplicationState.CODES_ISSUED
    case = bank.application(codes.application).case
    (alarm,) = alarms(bank)
    assert (alarm.subject, alarm.branch) == (case.device_serial, case.branch)
    assert BORN.split()[0] in alarm.told
    assert codes.application in alarm.told
    assert bank.event_names[-1] == "stock.alarmed"


def test_the_same_codes_serve_for_a_key_that_was_born_on_the_u_shield(bank: Bank) -> None:
    codes = bank.codes()
    with pytest.raises(KeyNotBornOnDevice):
        bank.download(codes, a_request(attributes=IMPORTED))
    assert bank.download(codes, a_request(new_key())).status is CertificateStatus.UNCONFIRMED


def test_silence_is_an_alarm_and_the_certificate_is_issued(bank: Bank) -> None:
    codes = bank.codes()
    certificate = bank.download(codes, a_request(attributes=SILENT))
    (alarm,) = alarms(bank)
    assert alarm.subject == certificate.device_serial
    assert "nothing was said" in alarm.told


def test_one_alarm_for_the_same_request_again(bank: Bank) -> None:
    codes = bank.codes()
    request = a_request(attributes=SILENT)
    for _ in range(3):
        bank.download(codes, request)
    assert bank.event_names.count("stock.alarmed") == 1


def test_a_statement_under_a_foreign_type_is_silence(bank: Bank) -> None:
    bank.download(bank.codes(), a_request(attributes=saying(BORN, oid="1.3.6.1.4.1.311.3.1")))
    assert len(alarms(bank)) == 1


def test_a_certificate_without_a_u_shield_needs_no_statement(bank: Bank) -> None:
    bank.download(bank.codes(profile="machine"), a_request(attributes=SILENT))
    assert alarms(bank) == []


def test_a_statement_that_says_two_things_is_a_broken_request(bank: Bank) -> None:
    codes = bank.codes()
    with pytest.raises(InvalidRequest):
        bank.download(codes, a_request(attributes=saying(BORN, BORN)))
    assert bank.event_names[-1] == "request.refused"


def renewed(bank: Bank, attributes: bytes) -> None:
    first = bank.active(profile="corporate-operator")
    bank.clock.tick(first.not_after - bank.clock.now())
    subject = der.parse_sequence(request_like(first.der, new_key()), "the request")[0].children()[1].der
    bank.re_enrol(first.der, a_request(new_key(), attributes=attributes, subject=subject))


def test_a_renewal_goes_the_same_way(bank: Bank) -> None:
    with pytest.raises(KeyNotBornOnDevice):
        renewed(bank, IMPORTED)
    assert ["no certificate was issued" in one.told for one in alarms(bank)] == [True]


def test_a_renewal_that_says_nothing_is_an_alarm(bank: Bank) -> None:
    renewed(bank, SILENT)
    assert ["nothing was said" in one.told for one in alarms(bank)] == [True]
