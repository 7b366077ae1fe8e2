"""Every error we raise on purpose. The message is for the person who can act on it.

`code` is stable and public: edges translate it once (HTTP status, exit code, OCSP status).
"""


class PKIError(Exception):
    """Base of everything we raise on purpose."""

    code = "internal"


class NotFound(PKIError):
    """Nothing of that identity exists, or the officer may not know that it does."""

    code = "not-found"


class NotAllowed(PKIError):
    """This person may not do this, now or ever; asking again changes nothing."""

    code = "not-allowed"


class NotAuthenticated(PKIError):
    """We do not know who is asking: session over, signature wrong, code wrong."""

    code = "not-authenticated"


class InvalidRequest(PKIError):
    """The caller's input is malformed or breaks a rule; the message says which."""

    code = "invalid-request"


class ProfileViolation(InvalidRequest):
    """Well-formed, but the profile does not let us issue that."""

    code = "profile-violation"


class KeyOnAnotherDevice(ProfileViolation):
    """The key was certified before, on another U-Shield: one key in two places, which no token gives out."""

    def __init__(self, message: str, device_serial: str = "") -> None:
        super().__init__(message)
        self.device_serial = device_serial
        """Of the U-Shield that had it first, where that is known."""


class KeyNotBornOnDevice(ProfileViolation):
    """The U-Shield itself says that the key was not made on it, or could leave it."""

    def __init__(self, message: str, application: str = "", said: str = "") -> None:
        super().__init__(message)
        self.application = application
        """That the key was brought for, where that is known."""
        self.said = said
        """Of the key, in the form of the request."""


class InvalidTransition(PKIError):
    """The thing is not in a state from which this can be done."""

    code = "invalid-transition"


class LintFailed(PKIError):
    """What we drafted breaks a rule of RFC 5280: our own bug, and nothing was signed."""

    code = "lint-failed"


class KeyStoreUnavailable(PKIError):
    """The HSM cannot be reached or lacks what we need; try later."""

    code = "key-store-unavailable"


class SigningRefused(PKIError):
    """The signer will not sign this: evidence missing, forged or not matching."""

    code = "signing-refused"


class Tampered(PKIError):
    """A record does not carry our seal or does not fit the chain: somebody changed it."""

    code = "tampered"


class NotReady(PKIError):
    """Set-up, clock, files or database are not as they must be; the message says what to do."""

    code = "not-ready"
