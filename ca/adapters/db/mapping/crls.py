"""CRLs and the places of certificates in them: rows to values and back."""

from ca.adapters.db.mapping.common import Values
from ca.adapters.db.rows import CertificateRow, CRLRow
from ca.domain.crl import CRLRecord, CRLScope, Listing


def to_crl(row: CRLRow) -> CRLRecord:
    return CRLRecord(
        scope=CRLScope(row.issuer, row.partition, delta=row.base is not None),
        number=row.number,
        this_update=row.this_update,
        next_update=row.next_update,
        entries=row.entries,
        size=row.size,
        sha256=row.sha256,
        base=row.base,
        published=row.published,
    )


def crl_values(record: CRLRecord) -> Values:
    return {
        "name": record.scope.name,
        "number": record.number,
        "issuer": record.scope.issuer,
        "partition": record.scope.partition,
        "base": record.base,
        "this_update": record.this_update,
        "next_update": record.next_update,
        "entries": record.entries,
        "size": record.size,
        "sha256": record.sha256,
        "published": record.published,
    }


def to_listing(row: CertificateRow) -> Listing:
    return Listing(row.crl_entry, row.crl_since, row.crl_changed)


def listing_values(listing: Listing) -> Values:
    return {"crl_entry": listing.entry, "crl_since": listing.since, "crl_changed": listing.changed}
