"""The demo's officers, played by programs with passkeys in files: they use the same use cases as people do.

Nothing in the signer knows them: their passkeys are registered by invitation like any other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ca import case_operations as case_ops
from ca import operations as ops
from ca import unlock_operations as unlock_ops
from ca.demo.authenticator import SoftwareAuthenticator
from ca.domain.decisions import Assertion
from ca.domain.errors import NotAllowed, NotAuthenticated, NotReady
from ca.domain.officers import whole_code
from ca.signer_client import SignerClient

MAKER, CHECKER = "E1001", "E1002"
SECURITY = ("E2001", "E2002")


def require_demo(*, demo: bool) -> None:
    """Raise NotAllowed outside a demo state."""
    if not demo:
        raise NotAllowed("this is not a demo: officers act in the console, not by this command")


def _message(assertion: Assertion) -> ops.AssertionMessage:
    return ops.AssertionMessage(
        credential_id=assertion.credential_id,
        client_data=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )


class DemoOfficer:
    """One officer with a software passkey, signed in when first needed."""

    def __init__(self, client: SignerClient, passkey: SoftwareAuthenticator) -> None:
        self._client = client
        self._passkey = passkey
        self._session = ""

    @property
    def session(self) -> str:
        """A session token of the signer."""
        if not self._session:
            challenge = ops.decode_base64(self._client.call(ops.SignInChallenge())["challenge"])
            assertion = _message(self._passkey.sign(challenge))
            self._session = self._client.call(ops.SignIn(challenge=challenge, assertion=assertion))["token"]
        return self._session

    def call(self, kind: type[ops.OfficerOperation], /, **fields: Any) -> dict[str, Any]:
        """An operation in this officer's name."""
        return self._client.call(kind(session=self.session, **fields))

    def approve_unlock(self, reference: str) -> str:
        """Look at the case and approve it with the passkey; this officer's half of the unlock code."""
        shown = self.call(unlock_ops.ShowUnlock, reference=reference)
        assertion = _message(self._passkey.sign(ops.decode_base64(shown["challenge"])))
        digest = ops.decode_base64(shown["digest"])
        half: str = self.call(unlock_ops.ApproveUnlock, reference=reference, digest=digest, assertion=assertion)["half"]
        return half

    def approve(self, application: str) -> None:
        """Look at the case and seal it with the passkey."""
        shown = self.call(case_ops.ShowCase, application=application)
        assertion = _message(self._passkey.sign(ops.decode_base64(shown["challenge"])))
        digest = ops.decode_base64(shown["digest"])
        self.call(case_ops.ApproveApplication, application=application, digest=digest, assertion=assertion)

    def approve_invitation(self, invitation: str) -> str:
        """Approve what another security officer proposed; this half of the one-time code."""
        shown = self.call(ops.ShowInvitation, invitation=invitation)
        assertion = _message(self._passkey.sign(ops.decode_base64(shown["challenge"])))
        half: str = self.call(ops.ApproveInvitation, invitation=invitation, assertion=assertion)["half"]
        return half


class DemoOfficers:
    """All of them, by employee number, from the demo directory."""

    def __init__(self, client: SignerClient, directory: Path) -> None:
        self._client = client
        self._directory = directory
        self._known: dict[str, DemoOfficer] = {}

    def __getitem__(self, person: str) -> DemoOfficer:
        if person not in self._known:
            passkey = SoftwareAuthenticator.load(self._directory / f"{person}.json")
            self._known[person] = DemoOfficer(self._client, passkey)
        return self._known[person]

    def register(self, person: str, invitation: str, code: str, *, origin: str, relying_party: str) -> None:
        """Redeem an invitation with a new software passkey."""
        opened = self._client.call(ops.OpenInvitation(invitation=invitation, code=code))
        challenge = ops.decode_base64(opened["challenge"])
        path = self._directory / f"{person}.json"
        path.unlink(missing_ok=True)  # left by a first start that was interrupted; it was never registered
        passkey = SoftwareAuthenticator.create(path)
        registration = passkey.register(challenge, origin, relying_party)
        self._client.call(
            ops.RedeemInvitation(
                invitation=invitation,
                code=code,
                challenge=challenge,
                registration=registration,
                label="software passkey (demo)",
            )
        )

    def can_sign_in(self, person: str) -> bool:
        """Whether the passkey in this person's file, if there is one, is an officer's."""
        try:
            return bool(self[person].session)
        except (NotAuthenticated, NotReady):
            return False

    def invite(self, person: str, *, name: str, branch: str, roles: list[str]) -> Mapping[str, str]:
        """A one-time link's parts for a passkey of a real person: one security officer proposes, the other approves.

        A demo plays both, so its link carries both halves of the code.
        """
        proposer, approver = (self[number] for number in SECURITY)
        proposal = proposer.call(ops.ProposeInvitation, person=person, name=name, branch=branch, roles=roles)
        invitation: str = proposal["invitation"]
        code = whole_code(approver.approve_invitation(invitation), proposal["half"])
        return {"invitation": invitation, "code": code, "name": name}
