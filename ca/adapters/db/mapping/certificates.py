"""Certificates, intents and issuing CAs: rows to values and back."""

from collections.abc import Sequence
from typing import Any

from ca.adapters.db.changes import typed
from ca.adapters.db.mapping.common import Values, find_serial, known, serial_number, serial_text
from ca.adapters.db.rows import CertificateRow, IntentRow, IssuerRow
from ca.domain.algorithms import KeyAlgorithm
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.issuers import Issuer
from ca.domain.journal import Change
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from ca.domain.tag_lists import tag_of

STANDING_COLUMNS = ("serial", "issuer", "status", "issued_at", "not_after", "revoked_at", "reason", "invalid_since")


def to_certificate(row: CertificateRow) -> Certificate:
    return Certificate(
        serial=serial_number(row.serial),
        issuer=row.issuer,
        profile=row.profile,
        der=row.der,
        public_key=row.public_key,
        subject=row.subject,
        application=row.application,
        customer=row.customer,
        device_serial=row.device_serial,
        branch=row.branch,
        not_before=row.not_before,
        not_after=row.not_after,
        issued_at=row.issued_at,
        status=known(CertificateStatus, row.status, f"certificate {row.serial}"),
        predecessor=find_serial(row.predecessor),
        confirmed_at=row.confirmed_at,
        revocation=_revocation(row),
        crl_partition=row.crl_partition,
    )


def to_standing(columns: Sequence[Any]) -> tuple[int, Standing]:
    """From the columns of `STANDING_COLUMNS`."""
    serial, issuer, status, issued_at, not_after, revoked_at, reason, invalid_since = columns
    where = f"certificate {serial}"
    revocation = None
    if revoked_at is not None:
        revocation = Revocation(known(RevocationReason, reason, where), revoked_at, invalid_since)
    standing = Standing(issuer, known(CertificateStatus, status, where), issued_at, not_after, revocation)
    return serial_number(serial), standing


def standings_in(changes: Sequence[Change]) -> list[tuple[int, Standing]]:
    """How the certificates stand that a transaction made or changed."""
    mine = [change for change in changes if change.table == CertificateRow.__tablename__]
    rows = [typed(CertificateRow, {**change.key, **change.values}) for change in mine if "status" in change.values]
    return [to_standing([row.get(name) for name in STANDING_COLUMNS]) for row in rows]


def _revocation(row: CertificateRow) -> Revocation | None:
    if row.revoked_at is None:
        return None
    reason = known(RevocationReason, row.reason, f"certificate {row.serial}")
    return Revocation(reason, row.revoked_at, row.invalid_since)


def certificate_values(certificate: Certificate) -> Values:
    revocation = certificate.revocation
    return {
        "issuer": certificate.issuer,
        "profile": certificate.profile,
        "der": certificate.der,
        "public_key": certificate.public_key,
        "subject": certificate.subject,
        "application": certificate.application,
        "customer": certificate.customer,
        "device_serial": certificate.device_serial,
        "branch": certificate.branch,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "issued_at": certificate.issued_at,
        "status": certificate.status.value,
        "predecessor": None if certificate.predecessor is None else serial_text(certificate.predecessor),
        "confirmed_at": certificate.confirmed_at,
        "revoked_at": revocation.revoked_at if revocation else None,
        "reason": int(revocation.reason) if revocation else None,
        "invalid_since": revocation.invalid_since if revocation else None,
        "crl_partition": certificate.crl_partition,
    }


def to_intent(row: IntentRow) -> Intent:
    return Intent(
        serial=serial_number(row.serial),
        issuer=row.issuer,
        profile=row.profile,
        application=row.application,
        tbs_der=row.tbs_der,
        public_key=row.public_key,
        request=row.request,
        predecessor=find_serial(row.predecessor),
        intended_at=row.intended_at,
        needs_confirmation=row.needs_confirmation,
        request_der=row.request_der or b"",
        signed=row.signed,
        seal=row.seal,
    )


def intent_values(intent: Intent) -> Values:
    return {
        "serial": serial_text(intent.serial),
        "tag": tag_of(intent.serial),
        "issuer": intent.issuer,
        "profile": intent.profile,
        "application": intent.application,
        "tbs_der": intent.tbs_der,
        "public_key": intent.public_key,
        "request": intent.request,
        "predecessor": None if intent.predecessor is None else serial_text(intent.predecessor),
        "intended_at": intent.intended_at,
        "needs_confirmation": intent.needs_confirmation,
        "request_der": intent.request_der or None,
        "signed": intent.signed,
        "seal": intent.seal,
    }


def to_issuer(row: IssuerRow) -> Issuer:
    return Issuer(
        name=row.name,
        certificate_der=row.certificate_der,
        key_id=row.key_id,
        algorithm=known(KeyAlgorithm, row.algorithm, f"issuing CA {row.name}"),
        crl_url=row.crl_url,
        ocsp_url=row.ocsp_url,
        certificate_url=row.certificate_url,
    )


def issuer_values(issuer: Issuer) -> Values:
    return {
        "certificate_der": issuer.certificate_der,
        "key_id": issuer.key_id,
        "algorithm": issuer.algorithm.value,
        "crl_url": issuer.crl_url,
        "ocsp_url": issuer.ocsp_url,
        "certificate_url": issuer.certificate_url,
    }
