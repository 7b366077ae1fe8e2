"""One click on a certificate's page gives its dossier, as the signer signed it."""

import io
import zipfile

from ca.domain.errors import NotFound
from ca.dossier_operations import ShowDossier
from tests.fakes.console import ACTIVE


def test_what_the_signer_signed_is_what_is_packed(at, signer):
    answer = at("supervisor").post(f"/admin/certificates/{ACTIVE}/dossier")

    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as bundle:
        assert {name: bundle.read(name) for name in bundle.namelist()} == {
            "application.json": b"{}",
            "manifest.json": ACTIVE.encode(),
        }
    assert answer.headers["Content-Disposition"] == f'attachment; filename="dossier-{ACTIVE}.zip"'
    assert [one.serial for one in signer.asked if isinstance(one, ShowDossier)] == [ACTIVE]


def test_the_same_dossier_is_packed_to_the_same_octets(at):
    first, second = (at("auditor").post(f"/admin/certificates/{ACTIVE}/dossier").get_data() for _ in range(2))

    assert first == second


def test_what_the_signer_refuses_is_no_bundle(at, signer):
    signer.refuse[ShowDossier.path] = NotFound("there is no such certificate at your branch")

    answer = at("supervisor").post(f"/admin/certificates/{ACTIVE}/dossier")

    assert answer.status_code == 404
    assert b"PK" not in answer.get_data()[:2]


def test_only_who_may_take_it_is_offered_it(at):
    page = f"/admin/certificates/details/?id={ACTIVE}"

    assert "Dossier for a dispute" in at("supervisor").text(page)
    assert "Dossier for a dispute" not in at("approver").text(page)
