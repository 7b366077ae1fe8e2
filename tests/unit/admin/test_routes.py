"""Every route of the console, who may call it with which verb, and no other (THREATS 38 to 40; T-15, T-17)."""

import pytest

from admin.access import PUBLIC, ROOMS
from ca.domain.officers import TrustedRole
from tests.fakes.console import ACTIVE, HELD
from tests.fakes.console_signer import OFFICERS

# Path and verbs of every route; a route that is missing here fails the build.
ROUTES = {
    "static": ("/admin/static/console.css", {"GET"}),
    "sign_in.health": ("/admin/health", {"GET"}),
    "sign_in.page": ("/admin/sign-in", {"GET"}),
    "sign_in.enter": ("/admin/sign-in", {"POST"}),
    "sign_in.challenge": ("/admin/sign-in/challenge", {"POST"}),
    "sign_in.leave": ("/admin/sign-out", {"POST"}),
    "invitation.page": ("/admin/invitation/open-1", {"GET"}),
    "invitation.open_link": ("/admin/invitation/open-1/open", {"POST"}),
    "invitation.redeem": ("/admin/invitation/open-1/redeem", {"POST"}),
    "recovery.page": ("/admin/recover", {"GET"}),
    "recovery.open_code": ("/admin/recover/open", {"POST"}),
    "certificate_door.page": ("/admin/sign-in/certificate", {"GET"}),
    "certificate_door.enter": ("/admin/sign-in/certificate", {"POST"}),
    "recovery.recover": ("/admin/recover", {"POST"}),
    "admin.index": ("/admin/", {"GET"}),
    "search.index": ("/admin/search?q=Zhang", {"GET"}),
    "applications.index_view": ("/admin/applications/", {"GET"}),
    "applications.details_view": ("/admin/applications/details/?id=application-done", {"GET"}),
    "certificates.index_view": ("/admin/certificates/", {"GET"}),
    "certificates.details_view": (f"/admin/certificates/details/?id={ACTIVE}", {"GET"}),
    "customers.index_view": ("/admin/customers/", {"GET"}),
    "customers.details_view": ("/admin/customers/details/?id=customer-1", {"GET"}),
    "devices.index_view": ("/admin/u-shields/", {"GET"}),
    "devices.details_view": ("/admin/u-shields/details/?id=US-2026-000123", {"GET"}),
    "authority.index": ("/admin/authority/", {"GET"}),
    "crls.index_view": ("/admin/crls/", {"GET"}),
    "crls.details_view": ("/admin/crls/details/?id=issuing-1841", {"GET"}),
    "jobs.index_view": ("/admin/jobs/", {"GET"}),
    "jobs.details_view": ("/admin/jobs/details/?id=sweep", {"GET"}),
    "job_runs.run": ("/admin/jobs/sweep/run", {"POST"}),
    "software.index": ("/admin/software/", {"GET"}),
    "software.show": ("/admin/software/case-1", {"GET"}),
    "software.compare": ("/admin/software/compare", {"POST"}),
    "software.propose": ("/admin/software/propose", {"POST"}),
    "software.approve": ("/admin/software/case-1/approve", {"POST"}),
    "software.reject": ("/admin/software/case-1/reject", {"POST"}),
    "software.withdraw": ("/admin/software/withdraw", {"POST"}),
    "settings.index": ("/admin/settings/", {"GET"}),
    "policy.show_version": ("/admin/policy-versions/policy-2", {"GET"}),
    "policy.propose": ("/admin/policy/propose", {"GET", "POST"}),
    "policy.approve": ("/admin/policy-versions/policy-2/approve", {"POST"}),
    "policy.reject": ("/admin/policy-versions/policy-2/reject", {"POST"}),
    "profiles.index": ("/admin/profiles/", {"GET"}),
    "profiles.show": ("/admin/profiles/machine", {"GET"}),
    "profiles.show_version": ("/admin/profile-versions/version-1", {"GET"}),
    "profiles.propose": ("/admin/profiles/machine/propose", {"GET", "POST"}),
    "profiles.approve": ("/admin/profile-versions/version-1/approve", {"POST"}),
    "profiles.reject": ("/admin/profile-versions/version-1/reject", {"POST"}),
    "expiring.index": ("/admin/expiring/", {"GET"}),
    "expiring.sheet": ("/admin/expiring/csv", {"GET"}),
    "latency.index": ("/admin/latency/", {"GET"}),
    "latency.sheet": ("/admin/latency/csv", {"GET"}),
    "all_reports.index": ("/admin/reports/", {"GET"}),
    "reports.branches": ("/admin/reports/branches", {"GET"}),
    "reports.branches_sheet": ("/admin/reports/branches.csv", {"GET"}),
    "reports.reconciliation": ("/admin/reports/reconciliation", {"GET"}),
    "reports.reconciliation_sheet": ("/admin/reports/reconciliation.csv", {"GET"}),
    "reports.dual_control": ("/admin/reports/dual-control", {"GET"}),
    "reports.dual_control_sheet": ("/admin/reports/dual-control.csv", {"GET"}),
    "reports.codes": ("/admin/reports/codes", {"GET"}),
    "reports.codes_sheet": ("/admin/reports/codes.csv", {"GET"}),
    "reports.activity": ("/admin/reports/activity", {"GET"}),
    "reports.activity_sheet": ("/admin/reports/activity.csv", {"GET"}),
    "reports.access": ("/admin/reports/access", {"GET"}),
    "reports.access_sheet": ("/admin/reports/access.csv", {"GET"}),
    "audit.index_view": ("/admin/audit/", {"GET"}),
    "audit.details_view": ("/admin/audit/details/?id=1", {"GET"}),
    "dossiers.take": (f"/admin/certificates/{ACTIVE}/dossier", {"POST"}),
    "audit.verify": ("/admin/audit/verify", {"GET", "POST"}),
    "audit.export": ("/admin/audit/export?first=1&last=2", {"GET"}),
    "officers.index_view": ("/admin/officers/", {"GET"}),
    "officers.details_view": ("/admin/officers/details/?id=maker", {"GET"}),
    "invitations.index_view": ("/admin/invitations/", {"GET"}),
    "invitations.details_view": ("/admin/invitations/details/?id=invitation-1", {"GET"}),
    "registration.customer": ("/admin/customers/register", {"GET", "POST"}),
    "registration.correct": ("/admin/customers/customer-1/correct", {"GET", "POST"}),
    "registration.device": ("/admin/u-shields/register", {"GET", "POST"}),
    "registration.company_device": ("/admin/customers/customer-1/u-shield", {"GET", "POST"}),
    "registration.letter": ("/admin/customers/customer-1/letter", {"POST"}),
    "cases.apply": ("/admin/customers/customer-1/apply", {"GET", "POST"}),
    "cases.show": ("/admin/cases/application-1", {"GET"}),
    "cases.approve": ("/admin/cases/application-1/approve", {"POST"}),
    "cases.send_back": ("/admin/cases/application-1/return", {"POST"}),
    "cases.correct": ("/admin/cases/application-returned/correct", {"GET", "POST"}),
    "cases.reject": ("/admin/cases/application-1/reject", {"POST"}),
    "cases.withdraw": ("/admin/cases/application-1/withdraw", {"POST"}),
    "cases.codes": ("/admin/cases/application-approved/codes", {"POST"}),
    "batches.enter": ("/admin/customers/customer-4/batch", {"GET", "POST"}),
    "batches.show": ("/admin/batches/batch-1", {"GET"}),
    "batches.approve": ("/admin/batches/batch-1/approve", {"POST"}),
    "files.certificate": (f"/admin/certificates/{ACTIVE}/certificate.pem", {"GET"}),
    "files.chain": (f"/admin/certificates/{ACTIVE}/chain.p7c", {"GET"}),
    "files.request": (f"/admin/certificates/{ACTIVE}/request.pem", {"GET"}),
    "files.issuer": ("/admin/certificates/issuers/issuing", {"GET"}),
    "files.issuer_certificate": ("/admin/certificates/issuers/root/certificate.der", {"GET"}),
    "changes.hold": (f"/admin/certificates/{ACTIVE}/hold", {"GET", "POST"}),
    "changes.undo_hold": (f"/admin/certificates/{HELD}/undo-hold", {"GET", "POST"}),
    "changes.release": (f"/admin/certificates/{HELD}/release", {"GET", "POST"}),
    "changes.revoke": (f"/admin/certificates/{ACTIVE}/revoke", {"GET", "POST"}),
    "revocations.show": ("/admin/revocations/revocation-1", {"GET"}),
    "revocations.approve": ("/admin/revocations/revocation-1/approve", {"POST"}),
    "revocations.reject": ("/admin/revocations/revocation-1/reject", {"POST"}),
    "unlocks.open_case": ("/admin/u-shields/US-1/unlock", {"GET", "POST"}),
    "unlocks.show": ("/admin/unlocks/1000000005", {"GET"}),
    "unlocks.approve": ("/admin/unlocks/1000000005/approve", {"POST"}),
    "unlocks.reject": ("/admin/unlocks/1000000005/reject", {"POST"}),
    "unlocks.prepare": ("/admin/u-shields/US-1/prepare", {"GET", "POST"}),
    "unlock_cases.index_view": ("/admin/unlock-cases/", {"GET"}),
    "unlock_cases.details_view": ("/admin/unlock-cases/details/?id=1000000000", {"GET"}),
    "stock.index": ("/admin/stock/", {"GET"}),
    "stock.factory": ("/admin/stock/factory-passwords", {"GET"}),
    "stock.alarms": ("/admin/stock/alarms", {"GET"}),
    "stock.settle": ("/admin/stock/alarms/alarm-1", {"POST"}),
    "stock.receive": ("/admin/stock/receive", {"GET", "POST"}),
    "stock.send": ("/admin/stock/send", {"GET", "POST"}),
    "stock.destroy": ("/admin/stock/destroy", {"GET", "POST"}),
    "stock.consignment": ("/admin/stock/consignments/consignment-1", {"GET"}),
    "stock.confirm": ("/admin/stock/consignments/consignment-1/confirm", {"POST"}),
    "stock.refuse": ("/admin/stock/consignments/consignment-1/refuse", {"POST"}),
    "stock.count": ("/admin/stock/count", {"GET", "POST"}),
    "stock.balance": ("/admin/stock/balances/balance-1", {"GET"}),
    "stock.confirm_balance": ("/admin/stock/balances/balance-1/confirm", {"POST"}),
    "stock.take": ("/admin/stock/u-shields/US-1/take", {"POST"}),
    "stock.put_back": ("/admin/stock/u-shields/US-1/put-back", {"POST"}),
    "stock.give_back": ("/admin/stock/u-shields/US-1/return", {"GET", "POST"}),
    "people.propose": ("/admin/invitations/propose", {"GET", "POST"}),
    "people.show_invitation": ("/admin/invitations/invitation-1/decide", {"GET"}),
    "people.approve_invitation": ("/admin/invitations/invitation-1/approve", {"POST"}),
    "people.change": ("/admin/officers/maker/suspend", {"GET", "POST"}),
    "officer_changes.propose": ("/admin/officers/maker/roles", {"GET", "POST"}),
    "officer_changes.propose_reinstatement": ("/admin/officers/maker/reinstate", {"GET", "POST"}),
    "officer_changes.show": ("/admin/officer-changes/change-1", {"GET"}),
    "officer_changes.approve": ("/admin/officer-changes/change-1/approve", {"POST"}),
    "officer_changes.reject": ("/admin/officer-changes/change-1/reject", {"POST"}),
    "bindings.propose": ("/admin/officers/maker/certificates", {"GET", "POST"}),
    "bindings.show": ("/admin/certificate-bindings/binding-1", {"GET"}),
    "bindings.approve": ("/admin/certificate-bindings/binding-1/approve", {"POST"}),
    "bindings.reject": ("/admin/certificate-bindings/binding-1/reject", {"POST"}),
    "bindings.end": ("/admin/certificate-bindings/binding-bound/end", {"POST"}),
    "sessions.end_of": ("/admin/officers/maker/end-sessions", {"GET", "POST"}),
    "sessions.end_all": ("/admin/officers/end-all-sessions", {"GET", "POST"}),
    "my_access.index": ("/admin/my-access", {"GET"}),
    "my_access.step_up_challenge": ("/admin/my-access/step-up/challenge", {"POST"}),
    "my_access.step_up": ("/admin/my-access/step-up", {"POST"}),
    "my_access.new_passkey": ("/admin/my-access/passkeys/challenge", {"POST"}),
    "my_access.add_passkey": ("/admin/my-access/passkeys", {"POST"}),
    "my_access.remove_passkey": ("/admin/my-access/passkeys/remove", {"POST"}),
    "my_access.make_recovery_codes": ("/admin/my-access/recovery-codes", {"POST"}),
    "my_access.end_session": ("/admin/my-access/sessions/end", {"POST"}),
    "my_access.unbind": ("/admin/my-access/certificates/end", {"POST"}),
    "my_access.end_others": ("/admin/my-access/sessions/end-others", {"POST"}),
}
VERBS = [(name, path, verb) for name, (path, verbs) in ROUTES.items() for verb in sorted(verbs)]
CLOSED = [case for case in VERBS if case[0] not in PUBLIC]
POSTS = [case for case in VERBS if case[2] == "POST"]
WRITING_WORDS = ("new/", "edit/", "delete/", "action/", "ajax/lookup/", "ajax/update/", "export/csv/", "export/xlsx/")
ROOM_PATHS = (
    "applications",
    "certificates",
    "customers",
    "u-shields",
    "unlock-cases",
    "crls",
    "jobs",
    "audit",
    "officers",
    "invitations",
)


@pytest.fixture(autouse=True)
def _invitation(signer):
    expiry = "2026-11-30T07:04:05Z"
    signer.invitations["invitation-1"] = {
        "person": "E-new", "name": "Nina Luo", "branch": "Pudong", "roles": ["ra-approver"],
        "proposed_by": "E-other", "expires_at": expiry, "state": "proposed", "code": "c",
    }  # fmt: skip


def test_every_route_is_listed_with_its_verbs(app):
    found = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.endpoint, set()).update(rule.methods - {"HEAD", "OPTIONS"})

    assert found == {name: verbs for name, (_path, verbs) in ROUTES.items()}


def test_every_route_has_its_roles_or_is_public(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == PUBLIC | ROOMS.keys()


@pytest.mark.parametrize("room", ROOM_PATHS)
@pytest.mark.parametrize("word", WRITING_WORDS)
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_flask_admin_brings_no_route_that_writes(app, room, word, verb):
    urls = app.url_map.bind("localhost")

    assert not urls.test(f"/admin/{room}/{word}", verb)


@pytest.mark.parametrize(("name", "path", "verb"), CLOSED, ids=str)
def test_a_stranger_is_led_to_the_sign_in_page_or_refused(visitor, signer, name, path, verb):
    response = visitor.get(path) if verb == "GET" else visitor.post(path)

    assert response.status_code == (303 if verb == "GET" else 401)
    assert verb == "POST" or response.headers["Location"].startswith("/admin/sign-in?next=")
    assert signer.asked == []


@pytest.mark.parametrize(("name", "path", "verb"), POSTS, ids=str)
def test_every_post_needs_the_csrf_token(at, signer, name, path, verb):
    response = at("both").bare_post(path)

    assert response.status_code == 400
    assert signer.asked == []


@pytest.mark.parametrize(("name", "path", "verb"), POSTS, ids=str)
def test_a_post_from_another_site_is_refused(at, signer, name, path, verb):
    responses = [
        at("both").post(path, headers={"Sec-Fetch-Site": "cross-site"}),
        at("both").post(path, headers={"Origin": "https://evil.example"}),
    ]

    assert [response.status_code for response in responses] == [400, 400]
    assert signer.commands() == []


READS = {
    "who-am-i",
    "applications/show",
    "batches/show",
    "health",
    "certificates/examine",
    "customers/looked-at",  # a trace of the look itself
    "invitations/show",
    "unlocks/show",
    "certificates/foresee-revocation",
    "revocations/show",
    "officer-changes/show",
    "bindings/show",
    "access/show",
    "tool/show",
    "tool/show-case",
    "settings/show",
    "profiles/list",
    "profiles/show",
    "profiles/show-version",
    "policy/in-force",
    "policy/show",
    "policy/show-version",
}


@pytest.mark.parametrize("officer", sorted(OFFICERS))
@pytest.mark.parametrize(("name", "path", "verb"), [case for case in CLOSED if case[2] == "GET"], ids=str)
def test_a_page_opens_for_its_roles_only_and_reading_it_changes_nothing(at, signer, officer, name, path, verb):
    response = at(officer).get(path)

    assert (response.status_code == 403) is not may_enter(officer, name)
    assert response.status_code < 500
    assert {asked.path for asked in signer.asked} <= READS


@pytest.mark.parametrize("officer", sorted(OFFICERS))
@pytest.mark.parametrize(("name", "path", "verb"), [case for case in POSTS if case in CLOSED], ids=str)
def test_an_act_is_for_its_roles_only(at, officer, name, path, verb):
    response = at(officer).post(path)

    assert (response.status_code == 403) is not may_enter(officer, name)
    assert response.status_code < 500


def may_enter(officer, name):
    return bool({TrustedRole(role) for role in OFFICERS[officer]["roles"]} & ROOMS[name])


@pytest.mark.parametrize("officer", sorted(OFFICERS))
def test_the_menu_names_only_rooms_that_open(at, officer):
    page = at(officer).text("/admin/")

    for name, (path, _verbs) in ROUTES.items():
        if name.endswith("index_view"):
            roles = {TrustedRole(role) for role in OFFICERS[officer]["roles"]}
            assert (f'href="{path}"' in page) == bool(roles & ROOMS[name])


@pytest.mark.parametrize("query", ["id=a&id=b", "id=%00", "id=a%00"])
@pytest.mark.parametrize("room", ROOM_PATHS)
def test_no_name_or_several_of_them_find_nothing(at, room, query):
    officers = ("both", "auditor", "security")

    found = {at(officer).get(f"/admin/{room}/details/?{query}").status_code for officer in officers}

    assert 404 in found
    assert found <= {403, 404}


@pytest.mark.parametrize("path", ["certificates/%00/hold", "officers/%00/suspend", "customers/%00/apply", "cases/a%00"])
def test_an_address_with_a_null_in_it_is_nowhere(at, path):
    assert at("both").get(f"/admin/{path}").status_code == 404
