"""One concept, one home: the file one would guess is the file it is in (docs/ARCHITECTURE.md, code map)."""

import pytest

from tests.architecture.sources import ROOT

HOMES = {
    "profile": ("ca/domain/profiles.py", "config/profile_files.py", "config/profiles/machine.toml"),
    "application": ("ca/domain/applications.py", "ca/usecases/apply.py", "ca/usecases/approve.py"),
    "certificate": (
        "ca/domain/certificates.py",
        "ca/usecases/enrol.py",
        "ca/usecases/confirm.py",
        "ca/usecases/renew.py",
    ),
    "issuance": (
        "ca/domain/drafting.py",
        "ca/domain/linting.py",
        "ca/usecases/issuance.py",
        "ca/usecases/reconcile.py",
    ),
    "revocation and hold": ("ca/domain/revocation.py", "ca/usecases/revoke.py"),
    "CRL": ("ca/domain/crl.py", "ca/usecases/publish_crl.py"),
    "bundle": (
        "ca/domain/bundle.py",
        "ca/domain/tag_lists.py",
        "ca/usecases/publish_bundle.py",
        "relying_party/verify_bundle.py",
        "docs/protocols/bundle.md",
    ),
    "OCSP answer": ("ca/domain/ocsp.py", "ca/usecases/answer_ocsp.py", "ocsp/responder.py"),
    "audit event": ("ca/domain/audit.py", "ca/usecases/audit.py"),
    "journal": ("ca/domain/journal.py", "ca/adapters/journal/journal.py", "ca/adapters/db/recovery.py"),
    "backup": ("ca/domain/backups.py", "ca/backing_up.py", "ca/restoring.py", "docs/runbooks/restore-from-backup.md"),
    "U-Shield": ("ca/domain/devices.py", "ca/usecases/devices.py", "ushield/cli.py"),
    "customer": ("ca/domain/customers.py", "ca/usecases/customers.py"),
    "officer and trusted role": ("ca/domain/officers.py", "ca/usecases/officers.py", "ca/usecases/authorize.py"),
    "key ceremony": ("ca/domain/ceremony.py", "ca/usecases/ceremony.py", "config/ceremonies/demo.toml"),
    "ports": ("ca/ports.py",),
    "wiring": ("ca/wiring.py", "ca/signer_wiring.py"),
    "signer": ("ca/signer.py", "ca/signer_client.py", "ca/operations.py"),
    "processes": ("wsgi.py", "ca/programs.py", "ca/supervisor.py"),
    "enrolment protocol": ("customer/est.py", "customer/confirmation.py", "docs/protocols/enrolment.md"),
}


@pytest.mark.parametrize(("concept", "path"), [(concept, path) for concept, paths in HOMES.items() for path in paths])
def test_a_concept_is_at_home_where_one_would_guess(concept: str, path: str) -> None:
    assert (ROOT / path).is_file(), f"{concept} has no {path}"
