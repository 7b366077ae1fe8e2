"""Who may enter which room of the console: one table, read by the gate, the menu and the tests.

An endpoint that is not in the table is closed to everybody. The signer decides again on every command: this table
only keeps officers from doors that would not open for them (DESIGN invariant 2; THREATS 45).
"""

from dataclasses import dataclass

from ca.domain.officers import TrustedRole

_R = TrustedRole
EVERYBODY = frozenset(TrustedRole)
_RA = frozenset({_R.RA_OPERATOR, _R.RA_APPROVER, _R.RA_SUPERVISOR})
_REGISTRARS = frozenset({_R.RA_OPERATOR, _R.RA_SUPERVISOR})
_MAKERS = frozenset({_R.RA_OPERATOR})
_CHECKERS = frozenset({_R.RA_APPROVER})
_OVERSIGHT = frozenset({_R.SECURITY_OFFICER, _R.CA_ADMINISTRATOR, _R.AUDITOR})
_BRANCH_READERS = _RA | {_R.HOTLINE} | _OVERSIGHT
_SECURITY = frozenset({_R.SECURITY_OFFICER})
_ADMINISTRATORS = frozenset({_R.CA_ADMINISTRATOR})
_HOLDERS = _RA | {_R.HOTLINE}
_UNLOCKERS = _REGISTRARS | {_R.HOTLINE}
_SUPERVISORS = frozenset({_R.RA_SUPERVISOR})
_REVOKERS = frozenset({_R.RA_APPROVER, _R.RA_SUPERVISOR})
_STOCK_READERS = _RA | _OVERSIGHT

PUBLIC = frozenset(
    {
        "static",
        "sign_in.health",
        "sign_in.page",
        "sign_in.challenge",
        "sign_in.enter",
        "certificate_door.page",
        "certificate_door.enter",
        "invitation.page",
        "invitation.open_link",
        "invitation.redeem",
        "recovery.page",
        "recovery.open_code",
        "recovery.recover",
    }
)
"""Reachable without a session."""

ROOMS: dict[str, frozenset[TrustedRole]] = {
    "sign_in.leave": EVERYBODY,
    "admin.index": EVERYBODY,
    "search.index": _BRANCH_READERS,
    "applications.index_view": _BRANCH_READERS - {_R.HOTLINE},
    "applications.details_view": _BRANCH_READERS - {_R.HOTLINE},
    "certificates.index_view": _BRANCH_READERS,
    "certificates.details_view": _BRANCH_READERS,
    "customers.index_view": _BRANCH_READERS,
    "customers.details_view": _BRANCH_READERS,
    "devices.index_view": _BRANCH_READERS,
    "devices.details_view": _BRANCH_READERS,
    "authority.index": _OVERSIGHT,
    "crls.index_view": _OVERSIGHT,
    "crls.details_view": _OVERSIGHT,
    "jobs.index_view": _OVERSIGHT,
    "jobs.details_view": _OVERSIGHT,
    "job_runs.run": _ADMINISTRATORS,
    "software.index": _OVERSIGHT,
    "software.show": _OVERSIGHT,
    "software.compare": _OVERSIGHT,
    "software.propose": _ADMINISTRATORS,
    "software.approve": _ADMINISTRATORS,
    "software.reject": _ADMINISTRATORS,
    "software.withdraw": _ADMINISTRATORS,
    "settings.index": _OVERSIGHT,
    "policy.show_version": _OVERSIGHT,
    "policy.propose": _ADMINISTRATORS,
    "policy.approve": _ADMINISTRATORS,
    "policy.reject": _ADMINISTRATORS,
    "profiles.index": _OVERSIGHT,
    "profiles.show": _OVERSIGHT,
    "profiles.show_version": _OVERSIGHT,
    "profiles.propose": _ADMINISTRATORS,
    "profiles.approve": _ADMINISTRATORS,
    "profiles.reject": _ADMINISTRATORS,
    "expiring.index": _RA | _OVERSIGHT,
    "expiring.sheet": frozenset({_R.RA_SUPERVISOR, _R.AUDITOR}),
    "latency.index": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "latency.sheet": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "all_reports.index": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.branches": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.branches_sheet": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.reconciliation": _OVERSIGHT,
    "reports.reconciliation_sheet": _OVERSIGHT,
    "reports.dual_control": _OVERSIGHT,
    "reports.dual_control_sheet": _OVERSIGHT,
    "reports.codes": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.codes_sheet": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.activity": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.activity_sheet": _OVERSIGHT | {_R.RA_SUPERVISOR},
    "reports.access": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "reports.access_sheet": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "audit.index_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "audit.details_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "dossiers.take": frozenset({_R.AUDITOR, _R.RA_SUPERVISOR, _R.SECURITY_OFFICER}),
    "audit.verify": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "audit.export": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "officers.index_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "officers.details_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "invitations.index_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "invitations.details_view": frozenset({_R.AUDITOR, _R.SECURITY_OFFICER}),
    "registration.customer": _REGISTRARS,
    "registration.correct": _REGISTRARS,
    "registration.device": _REGISTRARS,
    "registration.letter": _REGISTRARS,
    "registration.company_device": _REGISTRARS,
    "cases.apply": _MAKERS,
    "cases.show": _RA | {_R.AUDITOR},
    "cases.approve": _CHECKERS,
    "cases.send_back": _CHECKERS,
    "cases.correct": _MAKERS,
    "cases.reject": _CHECKERS,
    "cases.withdraw": _MAKERS,
    "cases.codes": _RA,
    "batches.enter": _MAKERS,
    "batches.show": _RA | {_R.AUDITOR},
    "batches.approve": _CHECKERS,
    "files.certificate": _BRANCH_READERS,
    "files.chain": _BRANCH_READERS,
    "files.request": _BRANCH_READERS,
    "files.issuer": _BRANCH_READERS,
    "files.issuer_certificate": _BRANCH_READERS,
    "changes.hold": _HOLDERS,
    "changes.undo_hold": _HOLDERS,
    "changes.release": frozenset({_R.RA_SUPERVISOR}),
    "changes.revoke": _REVOKERS,
    "revocations.show": _RA | {_R.AUDITOR},
    "revocations.approve": _REVOKERS,
    "revocations.reject": _REVOKERS,
    "unlocks.open_case": _UNLOCKERS,
    "unlocks.show": _UNLOCKERS | {_R.AUDITOR},
    "unlocks.approve": _SUPERVISORS,
    "unlocks.reject": _UNLOCKERS,
    "unlocks.prepare": _SUPERVISORS,
    "unlock_cases.index_view": _UNLOCKERS | {_R.AUDITOR},
    "unlock_cases.details_view": _UNLOCKERS | {_R.AUDITOR},
    "stock.index": _STOCK_READERS,
    "stock.factory": _STOCK_READERS,
    "stock.alarms": _STOCK_READERS,
    "stock.consignment": _STOCK_READERS,
    "stock.balance": _STOCK_READERS,
    "stock.receive": _REGISTRARS,
    "stock.send": _REGISTRARS,
    "stock.destroy": _REGISTRARS,
    "stock.refuse": _REGISTRARS,
    "stock.take": _REGISTRARS,
    "stock.put_back": _REGISTRARS,
    "stock.give_back": _REGISTRARS,
    "stock.count": _REGISTRARS,
    "stock.confirm": _SUPERVISORS,
    "stock.confirm_balance": _SUPERVISORS,
    "stock.settle": _SUPERVISORS,
    "people.propose": _SECURITY,
    "people.show_invitation": _SECURITY,
    "people.approve_invitation": _SECURITY,
    "people.change": _SECURITY,
    "officer_changes.propose": _SECURITY,
    "officer_changes.propose_reinstatement": _SECURITY,
    "officer_changes.show": _SECURITY,
    "officer_changes.approve": _SECURITY,
    "officer_changes.reject": _SECURITY,
    "bindings.propose": _SECURITY,
    "bindings.show": _SECURITY,
    "bindings.approve": _SECURITY,
    "bindings.reject": _SECURITY,
    "bindings.end": _SECURITY,
    "sessions.end_of": _SECURITY,
    "sessions.end_all": _SECURITY,
    "my_access.index": EVERYBODY,
    "my_access.step_up_challenge": EVERYBODY,
    "my_access.step_up": EVERYBODY,
    "my_access.new_passkey": EVERYBODY,
    "my_access.add_passkey": EVERYBODY,
    "my_access.remove_passkey": EVERYBODY,
    "my_access.make_recovery_codes": EVERYBODY,
    "my_access.end_session": EVERYBODY,
    "my_access.end_others": EVERYBODY,
    "my_access.unbind": EVERYBODY,
}
"""Endpoint -> roles that may call it."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The officer who asks, as the signer just told us; `token` proves it to the signer."""

    token: str
    id: str
    person: str
    name: str
    branch: str
    roles: frozenset[TrustedRole]

    def may(self, endpoint: str) -> bool:
        """Whether the door opens."""
        return bool(self.roles & ROOMS.get(endpoint, frozenset()))

    @property
    def sees_all_branches(self) -> bool:
        return bool(self.roles & _OVERSIGHT)
