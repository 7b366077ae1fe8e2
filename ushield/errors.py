"""What can go wrong, in the customer's words: what happened, what it means, what to do now, and a code for the hotline.

The code (D-31) is stable: the hotline's book and `ushield/README.md` list it. The exit status is a property of the
kind of trouble, so that scripts can tell "try later" from "go to the branch".
"""


class UShieldError(Exception):
    """Base of everything the tool says on purpose."""

    code = "D-99"
    exit_status = 1

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.code})"

    @property
    def sentence(self) -> str:
        return str(self.args[0])


class Interrupted(UShieldError):
    """Ctrl-C: the shell's own status for it."""

    code = "D-00"
    exit_status = 130


class WronglyAsked(UShieldError):
    """The command line cannot be carried out as given."""

    exit_status = 2


class NoTerminal(WronglyAsked):
    code = "D-01"


class SecretUnreadable(WronglyAsked):
    code = "D-02"


class ReferenceMalformed(WronglyAsked):
    code = "D-03"


class NothingTyped(WronglyAsked):
    code = "D-04"


class ProviderUnknown(WronglyAsked):
    code = "D-05"


class TokenDirUnusable(WronglyAsked):
    code = "D-06"


class NotesDirUnusable(WronglyAsked):
    code = "D-07"


class DeviceError(UShieldError):
    """The U-Shield, or the way to it, is not as it must be."""

    exit_status = 3


class NoProvider(DeviceError):
    code = "D-10"


class NoDevice(DeviceError):
    code = "D-11"


class SeveralDevices(DeviceError):
    code = "D-12"


class ProviderBroken(DeviceError):
    code = "D-13"


class NotPrepared(DeviceError):
    code = "D-14"


class HasKeyPad(DeviceError):
    code = "D-15"


class ProviderUnsafe(DeviceError):
    code = "D-16"


class LabelTaken(DeviceError):
    code = "D-17"


class NotSoftHsm(DeviceError):
    code = "D-18"


class TakenOut(DeviceError):
    code = "D-31"


class KeyNotSafe(DeviceError):
    code = "D-32"


class NoCommonKey(DeviceError):
    code = "D-33"


class DeviceFull(DeviceError):
    code = "D-34"


class OtherDevice(DeviceError):
    code = "D-35"


class ReadBackDiffers(DeviceError):
    code = "D-36"


class CertificateForOtherKey(DeviceError):
    code = "D-37"


class DeviceTrouble(DeviceError):
    code = "D-38"


class NothingThere(DeviceError):
    code = "D-39"


class PasswordError(UShieldError):
    """The certificate password, old or new, cannot be used."""

    exit_status = 4


class WrongPassword(PasswordError):
    code = "D-20"


class DeviceLocked(PasswordError):
    code = "D-21"


class LastTry(PasswordError):
    code = "D-22"


class UnacceptablePassword(PasswordError):
    code = "D-23"


class PasswordsDiffer(PasswordError):
    code = "D-24"


class PasswordNotTaken(PasswordError):
    code = "D-25"


class BankRefuses(UShieldError):
    """The bank understood and said no; asking again the same way changes nothing."""

    exit_status = 5


class CodesRefused(BankRefuses):
    code = "D-40"


class CodeUsed(BankRefuses):
    code = "D-41"


class TooManyTries(BankRefuses):
    code = "D-42"


class RequestRefused(BankRefuses):
    code = "D-43"


class ConfirmationRefused(BankRefuses):
    code = "D-44"


class CodeMalformed(BankRefuses):
    """Told before it is sent, so that a slip of the finger costs no attempt."""

    code = "D-45"


class CertificateStopped(BankRefuses):
    code = "D-46"


class UnlockRefused(BankRefuses):
    code = "D-89"


class RenewalRefused(BankRefuses):
    code = "D-47"


class BankAway(UShieldError):
    """No usable answer: nothing is lost, the same command later goes on."""

    exit_status = 6


class BankNotProved(BankAway):
    code = "D-50"


class AddressNotHttps(BankAway):
    code = "D-51"


class BankUnreachable(BankAway):
    code = "D-52"


class BankBusy(BankAway):
    code = "D-53"


class AnswerUnexpected(BankAway):
    code = "D-54"


class CaFileUnreadable(BankAway):
    code = "D-56"


class TestFailed(UShieldError):
    """The key on the U-Shield and the certificate do not belong together, or the signature is wrong."""

    code = "D-60"
    exit_status = 7


class JobRefused(UShieldError):
    """What a page asked for is not carried out."""

    exit_status = 5


class JobNotOurs(JobRefused):
    code = "D-70"


class JobForOther(JobRefused):
    code = "D-71"


class JobExpired(JobRefused):
    code = "D-72"


class JobUsed(JobRefused):
    code = "D-73"


class MessageUnknown(JobRefused):
    code = "D-74"


class BankFileBroken(JobRefused):
    code = "D-75"


class NoBankFile(JobRefused):
    code = "D-76"


class ReleaseNotOurs(JobRefused):
    code = "D-82"


class ReleaseExpired(JobRefused):
    code = "D-83"


class ReleaseOlder(JobRefused):
    code = "D-84"


class PackageAltered(JobRefused):
    code = "D-85"


class NotPackaged(WronglyAsked):
    code = "D-86"


class AnswerNotOurs(JobRefused):
    code = "D-87"


class SoPasswordWrong(UShieldError):
    """The U-Shield is not the bank's to unlock."""

    code = "D-88"
    exit_status = 3


class NoWindow(UShieldError):
    """The tool's window cannot be shown on this computer."""

    code = "D-80"
    exit_status = 2


class BrowserUnknown(WronglyAsked):
    code = "D-81"


class StillValid(WronglyAsked):
    code = "D-90"


class StillUsed(WronglyAsked):
    code = "D-91"
