"""The reports: they count what is there, name what does not add up, and show a branch only its own."""

import csv
import io
import zipfile

import pytest

from admin import sheets
from ca.adapters.db.officer_rows import CertificateBindingRow, OfficerChangeRow
from ca.adapters.db.profile_rows import PolicyVersionRow, ProfileVersionRow
from ca.adapters.db.rows import db
from ca.adapters.db.tool_rows import ToolCaseRow
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable
from ca.operations import NoteLook
from tests.fakes.console import a_certificate
from tests.fakes.console_signer import NOW
from tests.fakes.reports import (
    FAR,
    FORMULA,
    RENEWED,
    SERIAL,
    Place,
    World,
    an_approval,
    an_event,
    an_intent,
    an_invitation,
    an_officer,
    an_unlock,
)
from tests.fakes.revocation_answers import a_case_row


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("reports") / "console.sqlite3")
    yield place
    place.engine.dispose()
    with place.app.app_context():
        db.engine.dispose()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def found(world, place):
    """The rows of a report as CSV."""

    def ask(report, who="auditor", query=""):
        at = place(world)
        text = at(who).text(f"/admin/reports/{report}.csv{query}")
        return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]

    return ask


def test_a_branchs_day_is_counted_and_a_renewal_is_no_first_issuance(found):
    day = NOW.date().isoformat()

    assert found("branches") == [[day, f"'{FORMULA}", "1", "0", "0"], [day, "Pudong", "1", "1", "1"]]


def test_what_a_renewal_superseded_was_not_revoked_from_anybody(world, found):
    world.rows["certificate"].reason = 4

    assert found("branches", "supervisor")[0][2:] == ["1", "1", "0"]


def test_the_cas_own_certificates_are_no_branchs(world, found):
    world.rows["responder"] = a_certificate("d4" * 16, "OCSP", "", "active", application="", issued_at=NOW)

    assert len(found("branches")) == 2


@pytest.mark.parametrize("report", ["branches", "codes", "activity"])
def test_a_supervisor_sees_the_own_branch_only(found, report):
    rows = found(report, "supervisor")

    assert rows
    assert FORMULA not in str(rows)


@pytest.mark.parametrize(("query", "count"), [("?to=2026-11-22", 0), ("?from=2026-11-23&to=2026-11-23", 2)])
def test_only_the_days_that_were_asked_for(found, query, count):
    assert len(found("branches", query=query)) == count


LONG, TURNED = "from=2026-01-01&to=2026-11-01", "from=2026-11-02&to=2026-11-01"


@pytest.mark.parametrize("query", ["from=x", "to=2026-02-30", LONG, TURNED, "to=0001-01-01", "to=9999-12-31"])
def test_other_days_are_refused_in_words(world, place, query):
    at = place(world)

    assert at("auditor").get(f"/admin/reports/branches?{query}").status_code == 422
    assert at("auditor").get(f"/admin/reports/branches.csv?{query}").status_code == 422


def test_wrong_codes_stand_with_their_branch(world, found):
    world.rows["wrong unlock code"] = an_event(20, "unlock.code-refused", "100", "customer")
    world.rows["unknown code"] = an_event(21, "codes.refused", "", "customer")

    assert found("codes") == [
        [NOW.date().isoformat(), "–", "1", "0", "0"],
        [NOW.date().isoformat(), f"'{FORMULA}", "1", "0", "0"],
        [NOW.date().isoformat(), "Pudong", "1", "1", "1"],
    ]


def test_officers_work_is_counted_and_customers_are_no_officers(found):
    assert found("activity") == [["E-maker", "maker", "Pudong", "1", *["0"] * 7]]


# Reconciliation


def test_a_bank_where_everything_adds_up_has_no_difference(world, place):
    page = place(world)("auditor").text("/admin/reports/reconciliation")

    assert "Differences: 0" in page
    assert 'class="badge good"' in page


@pytest.mark.parametrize(
    ("gone", "says", "about"),
    [
        ("signature", "Certificate without a signature in the records", SERIAL),
        ("issued", "Certificate that the log does not know", SERIAL),
        ("renewed", "Signature without a certificate", RENEWED),
        ("renewed", "Issued by the log, and no such certificate", RENEWED),
        ("far application", "Certificate whose application was not served", FAR),
        ("far", "Application with its code used, and no certificate", "f"),
    ],
)
def test_what_is_missing_is_named(world, found, gone, says, about):
    del world.rows[gone]

    assert [says, about] in [[row[0], row[1] or row[2]] for row in found("reconciliation")]


def test_what_was_recorded_and_never_signed_is_named(world, found):
    world.rows["open"] = an_intent(9, "e5" * 16, "a", signed=False)
    world.rows["intended too"] = an_event(33, "certificate.intended", "e5" * 16, "customer")

    assert [row[:2] for row in found("reconciliation")] == [
        ["Recorded and not signed: “reconcile” finishes it", "e5" * 16]
    ]


def test_two_first_certificates_of_one_application_are_named(world, found):
    world.rows["renewed"].predecessor = None

    assert [row[::2][:2] for row in found("reconciliation")] == [["More than one first certificate", "a"]]


def test_what_differs_is_bad_on_the_page(world, place):
    del world.rows["signature"]
    page = place(world)("auditor").text("/admin/reports/reconciliation")

    assert "Differences: 1" in page
    assert 'class="badge bad"' in page
    assert f"?id={SERIAL}" in page


# Two people


def test_where_two_people_did_everything_there_is_no_exception(world, place):
    page = place(world)("auditor").text("/admin/reports/dual-control")

    assert "Exceptions: 0" in page
    assert 'class="badge good"' in page


def test_what_a_batch_approved_was_approved_by_two(world, found):
    world.rows["approval"] = an_approval("a", act="approve-batch")

    assert found("dual-control") == []


def _decided(kind, by, **more):
    """A case of this kind that was approved."""
    times = {"proposed_at": NOW}
    common = {"id": "case-1", "state": "approved", "decided_by": by, "reason": "r", "seal": b""}
    if kind == "officer":
        given = {"version": 1, "officer": "o", "officer_version": 1, "person": "E9", "name": "N", "old_branch": "P",
                 "old_roles": "", "branch": "P", "roles": "", "proposed_by": "E-a", "expires_at": NOW,
                 "decision_reason": ""}  # fmt: skip
        return OfficerChangeRow(**common | times | given)
    if kind == "binding":
        given = {"version": 1, "officer": "maker", "person": "E9", "name": "N", "serial": "a1", "fingerprint": "",
                 "subject": "", "proposed_by": "E-a", "expires_at": NOW, "decision_reason": ""}  # fmt: skip
        return CertificateBindingRow(**common | times | given | {"state": "bound"})
    if kind == "profile":
        given = {"revision": 1, "profile": "machine", "number": 2, "text": "", "profile_digest": "", "replaces": "",
                 "effective_from": NOW, "maker_person": "E-a"}  # fmt: skip
        return ProfileVersionRow(**common | times | given)
    if kind == "policy":
        given = {"revision": 1, "policy": "policy", "number": 2, "text": "", "policy_digest": "", "replaces": "",
                 "effective_from": NOW, "maker_person": "E-a"}  # fmt: skip
        return PolicyVersionRow(**common | times | given)
    given = {"revision": 1, "program": "", "tool_version": "1.5", "files": "[]", "maker_person": "E-a"}
    return ToolCaseRow(**common | times | given)


@pytest.mark.parametrize(("kind", "act", "what"), [
    ("officer", "approve-officer-change", "E9"), ("profile", "approve-profile", "machine"),
    ("policy", "approve-policy", "2"),
    ("tool", "release-tool", "1.5"),
])  # fmt: skip
def test_what_changes_the_rules_needs_two_people_too(place, kind, act, what):
    for by, evidence, expected in (
        ("E-b", "E-b", []),
        ("E-a", "E-a", [what]),
        ("E-b", None, [what]),
        ("", None, [what]),
    ):
        world = World()
        world.rows["case"] = _decided(kind, by)
        if evidence:
            world.rows["its evidence"] = an_approval("case-1", evidence, act)
        text = place(world)("auditor").text("/admin/reports/dual-control.csv")
        found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]
        assert [row[1] for row in found] == expected


@pytest.mark.parametrize(("by", "evidence", "is_an_exception"), [
    ("E-b", "E-b", False), ("E-both", "E-both", True), ("E-b", None, True), ("", "E-b", True),
])  # fmt: skip
def test_a_revocation_by_two_needs_the_second(place, by, evidence, is_an_exception):
    world = World()
    world.rows["case"] = a_case_row("case-1", "c1" * 16, state="approved", proposed_at=NOW, decided_by=by)
    if evidence:
        world.rows["its evidence"] = an_approval("case-1", evidence, "approve-revocation")
    text = place(world)("auditor").text("/admin/reports/dual-control.csv")
    assert ("Revocation that no second person approved" in text) is is_an_exception


@pytest.mark.parametrize("state", ["bound", "ended"])
def test_a_certificate_that_signs_officers_in_needs_two_people_too(place, state):
    for evidence, expected in (("E-b", []), ("E-a", ["E9"]), (None, ["E9"])):
        world = World()
        world.rows["case"] = _decided("binding", "E-c")
        world.rows["case"].state = state
        if evidence:
            world.rows["its evidence"] = an_approval("case-1", evidence, "approve-binding")
        text = place(world)("auditor").text("/admin/reports/dual-control.csv")
        assert [row[1] for row in list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]] == expected


def _approved_by_its_maker(world):
    world.rows["approval"] = an_approval("a", "E-maker")


def _approved_for_something_else(world):
    world.rows["approval"] = an_approval("a", act="approve-unlock")


def _no_approval(world):
    del world.rows["approval"]


@pytest.mark.parametrize("change", [_approved_by_its_maker, _approved_for_something_else, _no_approval])
def test_a_certificate_that_one_person_wanted_is_an_exception(world, found, change):
    change(world)

    assert {row[1] for row in found("dual-control")} == {SERIAL, RENEWED}


@pytest.mark.parametrize(
    ("by", "approved_by", "evidence_by"),
    [("E-s1", "", "E-s2"), ("E-s1", "E-s1", "E-s1"), ("E-s1", "E-s2", None), ("E-s1", "E-s2", "E-s1")],
)
def test_an_invitation_by_one_security_officer_is_an_exception(world, found, by, approved_by, evidence_by):
    world.rows["invited"] = an_invitation("maker", proposed_by=by, approved_by=approved_by)
    if evidence_by:
        world.rows["its evidence"] = an_approval("of-maker", evidence_by, "approve-invitation")

    assert [row[:2] for row in found("dual-control")] == [
        ["Invitation that two security officers did not agree on", "E-maker"]
    ]


def test_an_invitation_by_two_is_none(world, found):
    world.rows["invited"] = an_invitation("maker", proposed_by="E-s1", approved_by="E-s2")
    world.rows["its evidence"] = an_approval("of-maker", "E-s2", "approve-invitation")

    assert found("dual-control") == []


def test_an_officer_nobody_invited_is_an_exception(world, found):
    del world.rows["invited"]

    assert [row[:2] for row in found("dual-control")] == [["Officer whom nobody invited", "E-maker"]]


def test_roles_that_exclude_one_another_are_an_exception_and_stand_in_the_review(world, found):
    world.rows["maker"].roles = "auditor,ra-operator"

    assert [row[1] for row in found("dual-control")] == ["E-maker"]


@pytest.mark.parametrize("approved_by", ["", "E-maker"])
def test_an_unlock_by_one_person_is_an_exception(world, found, approved_by):
    world.rows["unlock"] = an_unlock("100", approved_by)

    assert [row[:2] for row in found("dual-control")] == [["Unlock that no second person approved", "100"]]


# Who may do what


def test_the_review_says_who_did_not_sign_in_for_long(world, found):
    world.rows["left"] = an_officer("gone", "Pudong", "auditor", state="left")
    world.rows["both"] = an_officer("both", "Pudong", "auditor,hotline")

    assert [(row[0], row[7], row[9]) for row in found("access")] == [
        ("E-both", "", "roles exclude one another; not used for 90 days"),
        ("E-elsewhere", "", "not used for 90 days"),
        ("E-maker", f"{NOW:%Y-%m-%d %H:%M:%S}", ""),
    ]


# Sheets


def test_no_sheet_leaves_before_the_signer_recorded_it(world, place):
    visitor = place(world)("auditor")
    visitor.get("/admin/reports/branches.xlsx")
    assert [one.page for one in visitor.signer.asked if isinstance(one, NoteLook)] == ["report-branches"]

    visitor.signer.refuse[NoteLook.path] = KeyStoreUnavailable("the signer does not answer")

    assert visitor.get("/admin/reports/branches.xlsx").status_code == 503


def test_a_workbook_holds_texts_and_no_formula(world, place):
    answer = place(world)("auditor").get("/admin/reports/branches.xlsx")

    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as book:
        page, texts = book.read("xl/worksheets/sheet1.xml"), book.read("xl/sharedStrings.xml").decode()
    assert b"<f" not in page
    assert page.count(b'<c r="') == 15
    assert page.count(b' t="s"') == 9
    assert b'<c r="C2"><v>1</v></c>' in page
    assert f"<t>{FORMULA}</t>" in texts
    assert ".xlsx" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "http://evil.example", "\t=1", "00123"])
def test_nothing_in_a_workbook_is_calculated_or_opened(cell):
    with zipfile.ZipFile(io.BytesIO(sheets.workbook(("head",), [(cell,)]))) as book:
        page = book.read("xl/worksheets/sheet1.xml")
        links = [name for name in book.namelist() if "rels" in name and "sheet" in name]

    assert b"<f" not in page
    assert b'r="A2" t="s"' in page
    assert links == []


def test_a_workbook_that_would_not_hold_all_rows_is_refused(monkeypatch):
    monkeypatch.setattr(sheets, "_MOST_ROWS", 2)

    with pytest.raises(InvalidRequest):
        sheets.workbook(("head",), [("a",)] * 3)


def test_the_other_reports_are_workbooks_too(at):
    for path in ("expiring", "latency"):
        answer = at("supervisor").get(f"/admin/{path}/xlsx")
        assert answer.get_data()[:2] == b"PK"


def test_the_list_names_only_what_opens(at):
    assert "/admin/reports/reconciliation" not in at("supervisor").text("/admin/reports/")
    assert "/admin/reports/reconciliation" in at("auditor").text("/admin/reports/")
