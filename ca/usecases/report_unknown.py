"""A certificate that carries our signature and that we do not know: the alarm of DESIGN invariant 10.

Only a key that was misused or a lost record explains one, so it is recorded whatever else happens.
"""

import hashlib
from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.errors import InvalidRequest
from ca.domain.issuers import Issuer
from ca.domain.keys import PublicKey
from ca.domain.tbs import read_tbs, split_certificate
from ca.ports import Clock, UnitOfWork

_MAX_SIZE = 32 * 1024


@dataclass(frozen=True)
class ReportUnknownCertificate:
    """Someone met a certificate in the field and shows it to us."""

    unit_of_work: UnitOfWork
    clock: Clock

    def __call__(self, certificate_der: bytes, *, by: str) -> bool:
        """Whether it is an alarm: signed by us, and what was signed is not in our records, bit for bit.

        Raises InvalidRequest when it is no certificate, or carries no signature of ours.
        """
        if len(certificate_der) > _MAX_SIZE:
            raise InvalidRequest("the certificate is too large to be one of ours")
        tbs_der, _, signature = split_certificate(certificate_der)
        serial = read_tbs(tbs_der).serial
        with self.unit_of_work() as work:
            issuers = work.issuers.list()
            issuer = next((each for each in issuers if _has_signed(each, tbs_der, signature)), None)
            if issuer is None:
                raise InvalidRequest("the certificate carries no signature of ours")
            recorded = work.certificates.find(serial)
            known = [*([recorded.der] if recorded else []), *(each.certificate_der for each in issuers)]
            if any(_is_about(one, tbs_der) for one in known):
                return False
            details = {"issuer": issuer.name, "sha256": hashlib.sha256(certificate_der).hexdigest()}
            work.audit.append(AuditEvent("certificate.unknown-seen", f"{serial:x}", by, self.clock.now(), details))
            work.commit()
        return True


def _is_about(certificate_der: bytes, tbs_der: bytes) -> bool:
    # Without the signature: anybody can turn an ECDSA signature into another valid one over the same bytes.
    try:
        return split_certificate(certificate_der)[0] == tbs_der
    except InvalidRequest:
        return False  # a record that somebody garbled vouches for nothing


def _has_signed(issuer: Issuer, tbs_der: bytes, signature: bytes) -> bool:
    try:
        PublicKey.from_spki(issuer.spki_der).verify(signature, tbs_der)
    except InvalidRequest:
        return False
    return True
