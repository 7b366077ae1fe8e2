"""My company on the portal: pages show what the signer says; who acts is the cookie's, never the body's to say."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from ca import portal_operations as ops
from ca.domain.errors import NotAllowed, NotAuthenticated, NotFound
from customer.account import COOKIE
from tests.fakes.signer import FakeSigner

BASE = "https://bank.example"
SERIAL = "a1b2c3"
OPERATOR = {
    "number": "C1-000001", "name": "Li <b>Qiang</b>", "document_number": "ID1", "email": "", "may_apply": False,
    "certificates": [
        {"serial": SERIAL, "status": "active", "not_after": "2029-11-27T12:00:00Z", "device_serial": "US1",
         "is_expired": False}
    ],
    "application": {
        "id": "app-1", "state": "codes-issued", "reason": "", "reference": "1234567894", "device_serial": "US1",
    },
}  # fmt: skip
COMPANY = {"name": "Harbour & Sons", "number": "C1", "free_devices": ["US2"], "operators": [OPERATOR]}
STATED = {"certificate": "AA==", "nonce": "AA==", "signature": "AA=="}


@pytest.fixture
def signed_in(client: FlaskClient, signer: FakeSigner) -> FlaskClient:
    signer.portal = {
        ops.ShowCompany: COMPANY,
        ops.OrderCompanyApplication: {"job": "x.y.z", "number": "C1-000002"},
        ops.CompanyApply: {"application": "app-2"},
        ops.OrderCompanyHold: {"job": "x.y.z"},
        ops.CompanyHold: {"serial": SERIAL, "status": "on-hold"},
    }
    client.set_cookie(COOKIE, "token-1", domain="bank.example")
    return client


def page(client: FlaskClient, path: str) -> str:
    return client.get(path, base_url=BASE).get_data(as_text=True)


def test_the_company_its_operators_and_the_reference_number_are_shown(signed_in: FlaskClient) -> None:
    shown = page(signed_in, "/me/company")

    assert "Harbour &amp; Sons" in shown
    assert "Li &lt;b&gt;Qiang" in shown
    assert "1234567894" in shown
    assert f"/me/company/hold/{SERIAL}" in shown
    assert "Apply again" not in shown


def test_whoever_is_no_administrator_is_told_how_to_sign_in(signed_in: FlaskClient, signer: FakeSigner) -> None:
    signer.portal[ops.ShowCompany] = NotAllowed("no")

    answer = signed_in.get("/me/company", base_url=BASE)

    assert answer.status_code == 403
    assert "a password is not enough" in answer.get_data(as_text=True)


def test_an_operator_is_applied_for_again_under_the_name_there_is(signed_in: FlaskClient) -> None:
    shown = page(signed_in, "/me/company/apply?number=C1-000001")

    assert 'name="number" value="C1-000001"' in shown
    assert shown.count("readonly") == 3
    assert ["US1" in shown, "US2" in shown] == [True, True]


@pytest.mark.parametrize("path", ["/me/company/apply?number=C2-000001", "/me/company/hold/beef"])
def test_what_is_not_the_companys_is_not_there(signed_in: FlaskClient, path: str) -> None:
    assert signed_in.get(path, base_url=BASE).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (
            "order-application",
            {"name": "A", "document_number": "1", "device_serial": "US2"},
            ops.OrderCompanyApplication,
        ),
        ("apply", {"number": "C1-000002", "device_serial": "US2", **STATED}, ops.CompanyApply),
        ("order-hold", {"serial": SERIAL}, ops.OrderCompanyHold),
        ("hold", {"serial": SERIAL, **STATED}, ops.CompanyHold),
    ],
)
def test_each_act_goes_to_the_signer_with_the_cookies_session(
    signed_in: FlaskClient, signer: FakeSigner, path: str, body: dict[str, str], kind: type[Any]
) -> None:
    def send(told: dict[str, str], **headers: str) -> int:
        return signed_in.post(f"/bridge/company/{path}", base_url=BASE, json=told, headers=headers).status_code

    assert send(body) == 200
    assert isinstance(signer.asked[-1], kind)
    assert signer.asked[-1].session == "token-1"
    asked = len(signer.asked)
    assert send(body | {"session": "another"}) == 400
    assert send(body | {"company": "another"}) == 400
    assert send(body, **{"Sec-Fetch-Site": "cross-site"}) == 403
    signed_in.delete_cookie(COOKIE, domain="bank.example")
    assert send(body) == 403
    assert len(signer.asked) == asked


@pytest.mark.parametrize(("error", "status"), [(NotFound("no"), 404), (NotAuthenticated("over"), 403)])
def test_a_refusal_is_told_to_the_page(
    signed_in: FlaskClient, signer: FakeSigner, error: Exception, status: int
) -> None:
    signer.portal[ops.OrderCompanyHold] = error  # type: ignore[assignment]

    answer = signed_in.post("/bridge/company/order-hold", base_url=BASE, json={"serial": "beef"})

    assert (answer.status_code, answer.mimetype) == (status, "application/json")
