"""Whatever happens in whatever order: full CRL and delta together, each partition, and the statuses say the same."""

from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.revocation import RevocationReason
from tests.fakes.status_world import StatusWorld

HOUR = timedelta(hours=1)
REASONS = [RevocationReason.UNSPECIFIED, RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED]
Said = dict[int, str]


def read(crl: x509.CertificateRevocationList) -> Said:
    """Reason by serial, as an independent parser reads it."""
    found: Said = {}
    for entry in crl:
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        except x509.ExtensionNotFound:
            reason = "unspecified"
        found[entry.serial_number] = reason
    return found


def joined(full: Said, delta: Said) -> Said:
    """RFC 5280 section 5.2.4: the full list, with what the delta says in place of it."""
    return {serial: reason for serial, reason in {**full, **delta}.items() if reason != "removeFromCRL"}


class CRLsAgree(RuleBasedStateMachine):
    """Certificates live and end, CRLs are made or fail; a relying party keeps any full CRL that the delta allows."""

    @initialize(short=st.sampled_from([0, 3]))
    def begin(self, short: int) -> None:
        self.world = StatusWorld()
        object.__setattr__(self.world.publish_crl, "short", short)
        self.publisher = self.world.publisher
        self.serial = 0xA0
        self.fulls: list[x509.CertificateRevocationList] = []
        self.numbers: dict[str, int] = {}
        self.current = False

    def pick(self, data: st.DataObject, *statuses: CertificateStatus) -> Certificate | None:
        known = [each for each in self.world.unit_of_work.certificates.values() if each.serial > 0xA0]
        fitting = [each for each in known if each.status in statuses and each.profile == "individual"]
        return data.draw(st.sampled_from(fitting)) if fitting else None

    @rule(hours=st.sampled_from([2, 5, 1000]), partition=st.sampled_from([None, 1, 2]), confirmed=st.booleans())
    def issue(self, hours: int, partition: int | None, confirmed: bool) -> None:
        self.serial += 1
        status = CertificateStatus.ACTIVE if confirmed else CertificateStatus.UNCONFIRMED
        self.world.issue(0x1000 + self.serial, status, life=hours * HOUR, partition=partition)
        self.current = False

    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        if found := self.pick(data, CertificateStatus.ACTIVE):
            self.world.suspend(found.serial)
            self.current = False

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if found := self.pick(data, CertificateStatus.ON_HOLD):
            self.world.resume(found.serial)
            self.current = False

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        if found := self.pick(data, CertificateStatus.UNCONFIRMED):
            self.world.confirm(found.serial)
            self.world.unit_of_work.stored.crl_due["issuing"] = True
            self.current = False

    @rule(data=st.data(), reason=st.sampled_from(REASONS))
    def revoke(self, data: st.DataObject, reason: RevocationReason) -> None:
        alive = (CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD, CertificateStatus.UNCONFIRMED)
        if found := self.pick(data, *alive):
            self.world.revoke(found.serial, reason)
            self.current = False

    @rule(minutes=st.sampled_from([1, 50, 200]))
    def wait(self, minutes: int) -> None:
        self.world.clock.tick(timedelta(minutes=minutes))

    @rule()
    def publish_all(self) -> None:
        self.world.publish_crl("issuing")
        self.published()

    @rule()
    def publish_changes(self) -> None:
        self.world.unit_of_work.stored.crl_due["issuing"] = True
        self.world.publish_crl.publish_changes("issuing")
        self.published()

    @precondition(lambda self: self.fulls)
    @rule(step=st.sampled_from(["draft", "write", "read", "copy", "publish", "publish issuing-delta", "flush"]))
    def fail(self, step: str) -> None:
        self.publisher.fail_at = step
        with pytest.raises(OSError, match="No space"):
            self.world.publish_crl("issuing")
        self.publisher.fail_at = ""
        assert self.world.publish_crl.is_due("issuing")
        self.current = False
        self.note()

    def published(self) -> None:
        self.current = True
        assert not self.world.publish_crl.is_due("issuing")
        self.note()

    def note(self) -> None:
        for name, der in self.publisher.crls.items():
            crl = x509.load_der_x509_crl(der)
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            assert number >= self.numbers.get(name, 0)
            if name == "issuing" and number > self.numbers.get(name, 0):
                self.fulls.append(crl)
            self.numbers[name] = number

    def expected(self, partition: int | None = None) -> Said:
        """What the records say of all that has not expired."""
        now = self.world.clock.now()
        found: Said = {}
        for each in self.world.unit_of_work.certificates.values():
            seen = each.seen_by_relying_parties()
            if seen is not None and not each.is_expired(now) and partition in (None, each.crl_partition):
                found[each.serial] = x509.ReasonFlags[seen.reason.name.lower()].value
        return found

    def unexpired(self, said: Said) -> Said:
        certificates, now = self.world.unit_of_work.certificates, self.world.clock.now()
        return {serial: reason for serial, reason in said.items() if not certificates[serial].is_expired(now)}

    @invariant()
    def all_say_the_same(self) -> None:
        if not getattr(self, "current", False):
            return
        delta = x509.load_der_x509_crl(self.publisher.crls["issuing-delta"])
        base = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number
        own = delta.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for full in self.fulls:
            number = full.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            if base <= number <= own:
                assert self.unexpired(joined(read(full), read(delta))) == self.expected()
        for name in self.publisher.crls:
            if "-p" in name:
                said = read(x509.load_der_x509_crl(self.publisher.crls[name]))
                assert self.unexpired(said) == self.expected(int(name.rpartition("-p")[2]))


TestCRLsAgree = CRLsAgree.TestCase
TestCRLsAgree.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
