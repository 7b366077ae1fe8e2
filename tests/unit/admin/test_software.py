"""The tool's releases in the console: compared by hash, released by two, withdrawn by one."""

import hashlib
import io
import json

import pytest

from admin.security import BODY_LIMIT, UPLOAD_LIMIT
from ca import authority_operations as ops
from ca.domain.errors import InvalidTransition
from tests.fakes.console_authority import CASE, PACKAGE
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip


def compared(visitor, content, name="ushield.pyz"):
    return visitor.post("/admin/software/compare", {"package": (io.BytesIO(content), name)})


def test_what_is_offered_is_told_with_its_hashes_and_whether_it_is_intact(at):
    page = at("auditor").text("/admin/software/")
    for word in ("1.4.0", "1.5.0", "ef" * 32, "intact", "changed", "waits for release"):
        assert word in page
    assert "Withdraw the tool" not in page
    assert "Propose its release" not in page


@pytest.mark.parametrize("size", [len(PACKAGE), BODY_LIMIT * 2])
def test_a_package_that_is_not_ours_is_told_apart(at, signer, size):
    response = compared(at("auditor"), b"x" * size)
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert hashlib.sha256(b"x" * size).hexdigest() in page
    assert "no package of ours" in page
    assert [asked.path for asked in signer.commands()] == ["tool/show"]


def test_a_package_of_ours_is_recognized(at):
    page = compared(at("admin"), PACKAGE).get_data(as_text=True)
    assert "ushield.pyz as packed from what is installed" in page
    assert "no package of ours" not in page


def test_a_file_that_is_too_large_is_refused_and_only_this_route_takes_files(at):
    def sent(to, size):
        # As octets: a test client would keep a form of this size in a file.
        head = b'--b\r\nContent-Disposition: form-data; name="package"; filename="x"\r\n\r\n'
        body = head + b"x" * size + b"\r\n--b--\r\n"
        response = at("admin").bare_post(f"/admin/software/{to}", body, content_type="multipart/form-data; boundary=b")
        return response.status_code

    assert sent("compare", UPLOAD_LIMIT) == 413
    assert sent("compare", BODY_LIMIT) == 400  # no CSRF token, and therefore read
    assert sent("propose", BODY_LIMIT) == 413


def test_no_file_is_no_package(at):
    assert at("admin").post("/admin/software/compare").status_code == 422


def test_a_hostile_file_name_stays_text(at):
    page = compared(at("admin"), b"x", "<script>alert(1)</script>").get_data(as_text=True)
    assert "<script>alert" not in page


def test_a_release_is_proposed_with_its_reason(at, signer):
    signer.releases.clear()
    assert at("admin").post("/admin/software/propose", {"reason": " "}).status_code == 422
    response = at("admin").post("/admin/software/propose", {"reason": "a fix"})
    assert response.headers["Location"] == "/admin/software/case-2"
    assert ops.ProposeTool(session="token-of-admin", reason="a fix") in signer.commands()


def test_a_proposal_that_is_refused_says_so_on_the_page(at, signer):
    signer.refuse["tool/propose"] = InvalidTransition("what is installed is offered already")
    response = at("admin").post("/admin/software/propose", {"reason": "a fix"})
    assert response.status_code == 409
    assert "What is installed is offered already." in response.get_data(as_text=True)


def test_offered_and_new_stand_side_by_side(at):
    page = at("second-admin").text("/admin/software/case-1")
    assert page.count('class="differs"') == 1
    assert f'value="{b64(CASE.digest())}"' in page
    assert "Approve and seal with passkey" in page
    assert "Approve and seal with passkey" not in at("admin").text("/admin/software/case-1")
    assert "Approve and seal with passkey" not in at("auditor").text("/admin/software/case-1")


def test_the_approval_carries_the_digest_as_shown(at, signer):
    signer.refuse["tool/approve"] = InvalidTransition("the release was changed since it was shown; read it again")
    form = {"digest": b64(CASE.digest()), "assertion": ASSERTION}
    response = at("second-admin").post("/admin/software/case-1/approve", form)
    assert (signer.commands()[0].path, signer.commands()[0].digest) == ("tool/approve", CASE.digest())
    assert response.status_code == 409


def test_it_is_rejected_or_withdrawn_with_a_reason(at, signer):
    for act in ("case-1/reject", "withdraw"):
        assert at("admin").post(f"/admin/software/{act}", {"reason": ""}).status_code == 422
        assert at("admin").post(f"/admin/software/{act}", {"reason": "a hole"}).status_code == 303
    page = at("admin").text("/admin/software/")
    assert "it was withdrawn" in page
    assert "Withdraw the tool" not in page
