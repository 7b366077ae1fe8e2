"""Whatever happens in whatever order: what is told of any instant is what OCSP and each CRL said then."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ca.domain.errors import PKIError
from ca.domain.history import SaidByCRL
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.telling import as_json
from ca.usecases.enrol import Enrol
from ca.usecases.look_back import LookBack
from relying_party.verify_history import load_key, verify
from tests.fakes.bank import ISSUING, SUPERVISOR, Bank

MINUTE = timedelta(minutes=1)
Captured = Mapping[str, bytes]


def reason_in(crl: x509.CertificateRevocationList, serial: int) -> str | None:
    """As an independent parser reads it."""
    entry = crl.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    try:
        return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except x509.ExtensionNotFound:
        return "unspecified"


def said(told: SaidByCRL) -> str | None:
    if told.is_removal:
        return "removeFromCRL"
    return RFC_NAMES[told.revocation.reason] if told.revocation else None


class PastIsTold(RuleBasedStateMachine):
    """Certificates live and end, CRLs are made; at each step it is noted what whoever asked then was told."""

    @initialize(short=st.sampled_from([0, 10_000]), partitions=st.sampled_from([0, 2]))
    def begin(self, short: int, partitions: int) -> None:
        self.bank = bank = Bank()
        object.__setattr__(bank.publish_crl, "short", short)
        drafter = replace(bank.drafter, crl_partitions=partitions)
        bank.enrol = Enrol(
            bank.unit_of_work, bank.clock, bank.check_codes, bank.dossier, drafter, bank.issuance, bank.profiles
        )
        self.serials: list[int] = []
        self.notes: list[tuple[datetime, dict[int, str], Captured]] = []

    @rule(confirmed=st.booleans())
    def issue(self, confirmed: bool) -> None:
        certificate = self.bank.active() if confirmed else self.bank.issued()
        self.serials.append(certificate.serial)

    @rule(data=st.data(), act=st.sampled_from(["hold", "release", "revoke", "keyCompromise"]))
    def change(self, data: st.DataObject, act: str) -> None:
        if not self.serials:
            return
        serial, session = data.draw(st.sampled_from(self.serials)), self.bank.session(SUPERVISOR)
        try:
            if act in {"hold", "release"}:
                getattr(self.bank.change_status, act)(session, serial)
            else:
                compromised = act == "keyCompromise"
                reason = RevocationReason.KEY_COMPROMISE if compromised else RevocationReason.UNSPECIFIED
                self.bank.change_status.revoke(session, serial, reason)
        except PKIError:
            return

    @rule(minutes=st.sampled_from([1, 70, 60 * 24 * 400]))
    def wait(self, minutes: int) -> None:
        self.bank.clock.tick(minutes * MINUTE)

    @rule()
    def publish_all(self) -> None:
        self.bank.publish_crl(ISSUING)

    @rule()
    def publish_changes(self) -> None:
        self.bank.publish_crl.publish_changes(ISSUING)

    @rule()
    def sign_the_log(self) -> None:
        self.bank.checkpoint()

    @invariant()
    def note(self) -> None:
        if not hasattr(self, "bank"):
            return
        told = {}
        for serial in self.serials:
            seen = self.bank.certificate(serial).seen_by_relying_parties()
            told[serial] = RFC_NAMES[seen.reason] if seen else "good"
        self.notes.append((self.bank.clock.now(), told, dict(self.bank.publisher.crls)))
        # What comes next happens in another second.
        self.bank.clock.tick(timedelta(seconds=1))

    def teardown(self) -> None:
        if not hasattr(self, "bank"):
            return
        look_back = LookBack(self.bank.unit_of_work, self.bank.clock)
        key = load_key(self.bank.trust.kept["audit.spki"])
        for at, told, crls in self.notes:
            for serial in self.serials:
                found = look_back(serial, at)
                now = found.moment.told if found.moment else None
                assert (RFC_NAMES[now.reason] if now else "good" if found.moment else None) == told.get(serial)
                if not found.moment:
                    continue
                self.compare(serial, found.crls, crls)
                proven = list(
                    verify(key, as_json(found), {each.crl.sha256: crls[each.crl.name] for each in found.crls})
                )
                assert all(is_proven for is_proven, _ in proven) == (not found.unproven)

    def compare(self, serial: int, told: object, crls: Captured) -> None:
        assert isinstance(told, list)
        certificate = self.bank.certificate(serial)
        names = {name for name in crls if "-p" not in name or name.endswith(f"-p{certificate.crl_partition}")}
        assert {each.crl.name for each in told} == names - {"root"}
        for each in told:
            crl = x509.load_der_x509_crl(crls[each.crl.name])
            assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == each.crl.number
            assert (crl.last_update_utc, crl.next_update_utc) == (each.crl.this_update, each.crl.next_update)
            assert said(each) == reason_in(crl, serial)
            entry = crl.get_revoked_certificate_by_serial_number(serial)
            if entry is not None and each.revocation:
                assert entry.revocation_date_utc == each.revocation.revoked_at


TestPastIsTold = PastIsTold.TestCase
TestPastIsTold.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
