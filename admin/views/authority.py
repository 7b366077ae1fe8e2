"""The CA itself: its certificates and keys, who answers for it, its lists, and whether the HSM is well."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from flask import current_app
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.signer import tell
from admin.views.base import Gated, last_crls
from ca.adapters.db.log_rows import JobRunRow
from ca.adapters.db.rows import CertificateRow, CRLPartitionRow, IssuerRow, db
from ca.domain.responders import renewal_due
from ca.operations import Health

ENDS_SOON = timedelta(days=365)
"""So long before its end a CA needs its successor: a ceremony takes preparation."""
_LATE = timedelta(hours=1)
_PUBLISHING = ("crl", "crl-after-change", "bundle", "bundle-after-change", "targets")
_OWN: tuple[tuple[str, Any], ...] = (
    ("ocsp-responder", _l("OCSP responder")),
    ("ocsp-responder-memory", _l("OCSP responder, key in memory")),
    ("bundle-signer", _l("Bundle signer")),
)
"""Profiles of those who sign for the CA, and what they are called."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA as its certificate tells it."""

    row: IssuerRow
    certificate: x509.Certificate
    standing: str
    signed_by: str
    partitions: int

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.row.certificate_der).hexdigest()


@dataclass(frozen=True, slots=True)
class Helper:
    """Who signs for a CA, by the newest certificate of its profile."""

    title: Any
    row: CertificateRow
    renewed_from: datetime
    standing: str


class AuthorityView(Gated, BaseView):
    """The page."""

    def __init__(self) -> None:
        super().__init__(name=_l("Authority"), endpoint="authority", url="/admin/authority")

    @expose("/")
    def index(self) -> str:
        now: datetime = current_app.extensions["vermilion_now"]()
        authorities = _authorities(now)
        runs = {run.name: run for run in db.session.scalars(select(JobRunRow))}
        page: str = self.render(
            "console/authority.html",
            authorities=authorities,
            helpers=[helper for one in authorities for helper in _helpers(one.row.name, now)],
            crls=last_crls(),
            health=tell(Health),
            publishing=[runs[name] for name in _PUBLISHING if name in runs],
        )
        return page


def _authorities(now: datetime) -> list[Authority]:
    """Who signs certificates of customers first, the root last."""
    rows = sorted(db.session.scalars(select(IssuerRow)), key=lambda row: (not row.ocsp_url, row.name))
    certificates = {row.name: x509.load_der_x509_certificate(row.certificate_der) for row in rows}
    pointed = select(CRLPartitionRow.issuer, CRLPartitionRow.partition).distinct()
    partitions = [issuer for issuer, _partition in db.session.execute(pointed)]
    return [
        Authority(
            row,
            certificates[row.name],
            _standing(certificates[row.name], now),
            _signer_of(certificates[row.name], rows, certificates),
            partitions.count(row.name),
        )
        for row in rows
    ]


def _standing(certificate: x509.Certificate, now: datetime) -> str:
    left = certificate.not_valid_after_utc - now
    if left < timedelta(0):
        return "expired"
    return "ends soon" if left < ENDS_SOON else "active"


def _signer_of(
    certificate: x509.Certificate, rows: Sequence[IssuerRow], certificates: dict[str, x509.Certificate]
) -> str:
    return next((row.name for row in rows if certificates[row.name].subject == certificate.issuer), "")


def _helpers(issuer: str, now: datetime) -> list[Helper]:
    found = []
    for profile, title in _OWN:
        newest = select(CertificateRow).where(CertificateRow.issuer == issuer, CertificateRow.profile == profile)
        row = db.session.scalars(newest.order_by(CertificateRow.issued_at.desc()).limit(1)).first()
        if row is not None:
            due = renewal_due(row.not_before, row.not_after)
            overdue = "late" if now > due + _LATE else row.status
            found.append(Helper(title, row, due, "expired" if now > row.not_after else overdue))
    return found
