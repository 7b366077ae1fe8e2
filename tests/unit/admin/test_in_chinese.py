"""Every page of the console, read by an officer who has chosen Chinese: no English word is left on it."""

import re

import pytest

from admin.access import PUBLIC, ROOMS
from ca.domain.officers import TrustedRole
from tests.fakes.console import CANCELLED
from tests.fakes.console_signer import OFFICERS
from tests.fakes.reading import Reading
from tests.unit.admin.test_routes import ROUTES

WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
DATA = frozenset(
    {word for known in OFFICERS.values() for word in WORD.findall(f"{known['name']} {known['branch']}")}
    | {"Zhang", "Wei", "Wen", "Xu", "Only", "Acme", "Nina", "Luo", "Demo", "Bank", "Vermilion", "Cancelled", "Shield"}
    | {"zhang", "wei", "pudong", "CN", "US", "CYRILLIC", "SMALL", "LETTER", "publish", "crls", "sweep"}
    | {"Minhang", "Bundles", "directory", "mirror", "Machine", "days"}
)
"""Names of persons, branches and things."""
TECHNICAL = frozenset(
    {
        "OCSP",
        "CRL",
        "CA",
        "SHA",
        "UTC",
        "CSV",
        "DER",
        "PIN",
        "HSM",
        "GET",
        "PEM",
        "PKCS",
        "JavaScript",
        "ushield",
        "prepare",
    }
    | {"issuing", "English", "root", "pem", "Cookie", "PDF", "GB", "UTF", "QR", "CKA", "ID", "ec"}
    | {"PEM", "PKCS", "KiB", "MB", "Bytes", "XLSX", "ZIP", "pki", "audit", "verify"}
)
QUOTED = re.compile(
    r"<script>.*|\"'><img.*|https?://\S+|\S+@\S+|\bE-\w+|[a-z_]+\.[a-z-]+|Zh\u0430ng"
    r"|the name is short|document number differs|ID card seen|moves to Xuhui|machines are renewed by .*"
    r"|\b(CN|OU|O|C)=[^,]+|a U-Shield of hers"
    r"|office laptop|blue key|unlock case|new counter|reads the new U-Shield 4|Xuhui only|vault -1|back from leave"
    r"|the account was closed"
    r"|the audit of October|letters that lie about"
)
"""A hostile name, addresses, employee numbers, names of events, a Cyrillic letter, and what officers typed."""
PAGES = [(name, path) for name, (path, verbs) in ROUTES.items() if "GET" in verbs and name not in PUBLIC]
MORE = [
    ("certificates.details_view", f"/admin/certificates/details/?id={CANCELLED}"),
    ("certificates.index_view", "/admin/certificates/?search=nothing"),
    ("cases.show", "/admin/cases/application-unusual"),
    ("search.index", "/admin/search?q="),
    ("latency.index", "/admin/latency/?days=30"),
    ("search.index", "/admin/search?q=Pudong"),
    ("expiring.index", "/admin/expiring/?days=60"),
    ("customers.details_view", "/admin/customers/details/?id=customer-2"),
    ("officers.details_view", "/admin/officers/details/?id=away"),
    ("officer_changes.show", "/admin/officer-changes/change-back"),
    ("people.change", "/admin/officers/security/suspend"),
]


def english_on(page: str) -> list[str]:
    said = [QUOTED.sub("", text) for text in Reading(page).said]
    return [text for text in said if set(WORD.findall(text)) - DATA - TECHNICAL]


def officers_for(name: str) -> list[str]:
    return [who for who, known in OFFICERS.items() if {TrustedRole(role) for role in known["roles"]} & ROOMS[name]]


@pytest.fixture(autouse=True)
def _invitation(signer):
    signer.invitations["invitation-1"] = {
        "person": "E-new", "name": "Nina Luo", "branch": "Pudong", "roles": ["ra-approver"],
        "proposed_by": "E-other", "expires_at": "2026-11-30T07:04:05Z", "state": "proposed", "code": "c",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "path"), [*PAGES, *MORE])
def test_a_page_has_no_english_word_left(at, name, path):
    for who in officers_for(name):
        officer = at(who)
        officer.get("/admin/?language=zh")
        answer = officer.get(path, follow_redirects=True)

        assert answer.status_code in {200, 404, 409}, who
        if answer.mimetype != "text/html":
            continue  # a file to keep
        assert '<html lang="zh">' in answer.text
        assert english_on(answer.text) == [], who


@pytest.mark.parametrize("path", ["/admin/sign-in", "/admin/sign-in?welcome=1", "/admin/invitation/open-1"])
def test_a_door_has_no_english_word_left(visitor, path):
    visitor.get("/admin/sign-in?language=zh")

    assert english_on(visitor.text(path)) == []


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("supervisor", "/admin/customers/customer-1/letter"),
        ("supervisor", "/admin/cases/application-approved/codes"),
        ("maker", "/admin/customers/register"),
        ("maker", "/admin/u-shields/register"),
        ("maker", "/admin/customers/customer-1/apply"),
        ("security", "/admin/invitations/propose"),
        ("security", "/admin/officers/maker/suspend"),
        ("approver", "/admin/cases/application-1/approve"),
        ("approver", "/admin/certificates/none/revoke"),
        ("auditor", "/admin/customers/register"),
    ],
)
def test_an_answer_to_a_form_has_no_english_word_left(at, who, path):
    officer = at(who)
    officer.get("/admin/?language=zh")

    answer = officer.post(path, {"reason": "", "name": "x" * 65})

    assert english_on(answer.text) == []
