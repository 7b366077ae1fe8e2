"""The forms officers fill in. They catch what is empty or too long; every rule stays with the signer."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    DateTimeLocalField,
    Field,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from admin.errors import sentence
from admin.language import lazily_named
from admin.lists import ListedSerial, read_list
from admin.policy import TITLES
from ca.domain.custody import MOST_AT_ONCE, Holder
from ca.domain.customers import CustomerKind
from ca.domain.errors import InvalidRequest
from ca.domain.names import verify_text
from ca.domain.officers import TrustedRole
from ca.domain.policy import NUMBERS
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.times import duration_text, timestamp


def _trim(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


def _tidy(_form: FlaskForm, field: Field) -> None:
    """The signer's own rule, asked here too because only here it is known which field it is about."""
    try:
        verify_text(field.data or "", len(field.data or ""))
    except InvalidRequest as error:
        raise ValidationError(sentence(error)) from error


def _text(label: Any, hint: Any = "", *, limit: int = 64, required: bool = True) -> StringField:
    """A line of text, as long as the signer takes it."""
    first = DataRequired(_l("Fill this in.")) if required else Optional()
    return StringField(label, [first, Length(max=limit), _tidy], filters=[_trim], description=hint)


def choices(names: Iterable[str]) -> list[SelectChoice]:
    """Each with its word in the language of the page."""
    return [SelectChoice(str(name), lazily_named(str(name))) for name in names]


class CustomerForm(FlaskForm):
    """Who stands at the counter."""

    kind = SelectField(_l("Kind"), choices=choices(CustomerKind))
    name = _text(_l("Name"), _l("As on the document, character by character."))
    document_number = _text(_l("Document number"), _l("Of the identity document or business licence you have seen."))
    number = _text(_l("Customer number"))
    email = _text(_l("E-mail"), _l("For notices; may stay empty."), limit=200, required=False)
    phone = _text(_l("Phone"), _l("For notices, with the country: +86 138 0013 8000; may stay empty."), required=False)
    company = _text(
        _l("Company"),
        _l("Customer number of the company, for its administrator or operator; empty for everybody else."),
        required=False,
    )


class CorrectionForm(CustomerForm):
    """What the register may be corrected in."""

    kind = number = company = None


class DeviceForm(FlaskForm):
    """A U-Shield that enters the branch's stock."""

    serial = _text(_l("Serial number"), _l("Engraved on the U-Shield; scan it if you can."))
    model = _text(_l("Model"))


class CompanyDeviceForm(FlaskForm):
    """A U-Shield that a company takes along, for an operator whom its administrator will name."""

    serial = _text(_l("Serial number"), _l("From your branch's stock; scan it if you can."))


class ApplicationForm(FlaskForm):
    """What a customer applies for."""

    profile = SelectField(_l("Profile"), description=_l("What kind of certificate."))
    device_serial = _text(
        _l("U-Shield"), _l("Serial number, from your branch's stock. Leave empty for machines and servers."),
        required=False,
    )  # fmt: skip
    host_names = TextAreaField(
        _l("Host names"),
        [Optional(), Length(max=3000)],
        description=_l("Only for servers: one in each line, at most 20."),
    )

    def entry(self) -> dict[str, Any]:
        """As the signer is told; of the host names one is in each line, blanks aside."""
        return {
            "profile": self.profile.data,
            "device_serial": self.device_serial.data or "",
            "host_names": tuple((self.host_names.data or "").split()),
        }


class ReasonForm(FlaskForm):
    """Why something is refused, taken back or changed; the person concerned reads it."""

    reason = _text(_l("Reason"), _l("In a few words; it is kept in the audit log."), limit=300)


class BatchForm(FlaskForm):
    """A list of a company's people."""

    profile = SelectField(_l("Profile"), description=_l("What kind of certificate all of them get."))
    file = FileField(_l("CSV file"), description=_l("From a spreadsheet program, in UTF-8 or GB 18030."))
    lines = TextAreaField(
        _l("Or the lines themselves"),
        [Optional(), Length(max=60_000)],
        description=_l("The first line names the columns: number, name, document number, email, phone, u-shield."),
    )


class UnlockForm(FlaskForm):
    """Why a U-Shield may be unlocked."""

    reason = _text(
        _l("How was the customer identified?"),
        _l("The document you saw, or what was asked on the telephone. A supervisor reads it."),
        limit=300,
    )


class PreparationForm(FlaskForm):
    """What `ushield prepare` printed."""

    question = _text(
        _l("The line that the tool printed"), _l("Start `ushield prepare` with the U-Shield plugged in."), limit=200
    )


class DatedForm(FlaskForm):
    """From when a version is to be in force, and why."""

    effective_from = DateTimeLocalField(
        _l("In force from"),
        [DataRequired(_l("Choose a time that is still to come."))],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=_l("In the time of this machine; not in the past."),
    )
    reason = _text(_l("Reason"), _l("Why; the other administrator reads it, and it is kept."), limit=300)


class PolicyForm(DatedForm):
    """Every number of the policy; the signer knows the bounds."""

    @property
    def numbers(self) -> list[Any]:
        return [self[name] for name in NUMBERS]


for _name, _bounds in NUMBERS.items():
    _least, _most = duration_text(_bounds.least), duration_text(_bounds.most)
    _hint = _l("From %(least)s to %(most)s.", least=_least, most=_most)
    setattr(PolicyForm, _name, _text(TITLES[_name], _hint, limit=20))


class ProfileForm(DatedForm):
    """The next version of a profile."""

    text = TextAreaField(
        _l("The profile"),
        [DataRequired(_l("Fill this in.")), Length(max=20_000)],
        description=_l("As the configuration writes it. Change what is to change; the number is the next one already."),
        render_kw={"class": "source", "rows": 28, "spellcheck": "false"},
    )


class PackageForm(FlaskForm):
    """A package of the tool, from wherever."""

    package = FileField(
        _l("Package"),
        [FileRequired(_l("Choose a file first."))],
        description=_l("At most 1 MB. It is compared by its hash and not kept."),
    )


class RevocationForm(FlaskForm):
    """Why a certificate ends (RFC 5280 section 5.3.1)."""

    reason = SelectField(
        _l("Reason"),
        [DataRequired(_l("Choose the reason."))],
        choices=[
            SelectChoice("", ""),
            *choices(name for code, name in RFC_NAMES.items() if code is not RevocationReason.CERTIFICATE_HOLD),
        ],
    )
    invalid_since = DateTimeLocalField(
        _l("Invalid since"),
        [Optional()],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=_l("When the key was lost or misused, if you know that it was earlier; may stay empty."),
    )
    why = _text(
        _l("For the second officer"),
        _l("Why it is to end, in a few words; it is kept in the audit log. Empty with keyCompromise."),
        limit=300,
        required=False,
    )

    def invalid_since_text(self) -> str:
        """As the signer takes it; what was typed is in the zone in which the console shows times. Empty: not known."""
        typed: datetime | None = self.invalid_since.data
        return "" if typed is None else timestamp(typed.astimezone(UTC))


class InvitationForm(FlaskForm):
    """Who is to become an officer."""

    person = _text(_l("Employee number"), _l("One person, one number: it never changes."))
    name = _text(_l("Name"))
    branch = _text(_l("Branch"))
    roles = SelectMultipleField(
        _l("Roles"),
        [DataRequired(_l("Choose at least one role."))],
        choices=choices(TrustedRole),
    )


class OfficerChangeForm(FlaskForm):
    """What an officer is to be."""

    branch = _text(_l("Branch"))
    roles = SelectMultipleField(
        _l("Roles"),
        [DataRequired(_l("Choose at least one role."))],
        description=_l("All that they are to have: what is not chosen is taken away."),
        choices=choices(TrustedRole),
    )
    reason = _text(_l("Reason"), _l("In a few words; it is kept in the audit log."), limit=300)


class BindingForm(FlaskForm):
    """Which certificate an officer may sign in with."""

    serial = _text(
        _l("Serial number of the certificate"),
        _l("Hexadecimal, as on the certificate’s page. The profile must be “officer”, the certificate active."),
        limit=100,
    )
    reason = _text(_l("Reason"), _l("In a few words; it is kept in the audit log."), limit=300)


class PasskeyForm(FlaskForm):
    """What an officer calls a passkey."""

    label = _text(
        _l("A name for this passkey"), _l("By which you know it: the device it is on, for example."), limit=60
    )


class EmptyForm(FlaskForm):
    """Only the CSRF token: for commands that need no more words."""


_LONGEST_LIST = 40_000
_LIST_HINT = _l("One in each line, as engraved. A scanner that ends each code with Enter fills this by itself.")
_KEPT = _l("In a few words; it is kept in the audit log.")


def _serials(label: Any, hint: Any, *, required: bool) -> TextAreaField:
    first = DataRequired(_l("Fill this in.")) if required else Optional()
    return TextAreaField(label, [first, Length(max=_LONGEST_LIST)], description=hint)


class ReceiveForm(FlaskForm):
    """A delivery from the supplier."""

    into = SelectField(
        _l("Into"),
        choices=[
            SelectChoice(Holder.VAULT.value, _l("the vault")),
            SelectChoice(Holder.BRANCH.value, _l("the branch's stock")),
        ],
    )
    model = _text(_l("Model"))
    serials = _serials(_l("Serial numbers"), _LIST_HINT, required=False)
    file = FileField(
        _l("Or a CSV file"),
        description=_l("The first column has the serial numbers, at most %(most)s.", most=MOST_AT_ONCE),
    )

    def list_rows(self) -> list[ListedSerial]:
        """Of the field or of the file. Raises InvalidRequest unless exactly one of them has any."""
        pasted, sent = self.serials.data or "", self.file.data.read() if self.file.data else b""
        if bool(pasted.strip()) == bool(sent.strip()):
            raise InvalidRequest(_("paste the serial numbers, or choose a file with them"))
        try:
            return read_list(pasted or sent.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise InvalidRequest(_("this list cannot be read as CSV; save it again as CSV with UTF-8")) from error


class SendForm(FlaskForm):
    """U-Shields that another officer will confirm to have received."""

    serials = _serials(_l("Serial numbers"), _LIST_HINT, required=True)
    to_branch = _text(_l("To the stock of branch"))
    reason = _text(_l("Reason"), _KEPT, limit=300)


class DestroyForm(FlaskForm):
    """U-Shields that another officer will see destroyed."""

    serials = _serials(_l("Serial numbers"), _LIST_HINT, required=True)
    reason = _text(_l("Reason"), _KEPT, limit=300)


def _number(label: Any) -> IntegerField:
    return IntegerField(label, [InputRequired(_l("Fill this in.")), NumberRange(0, 1_000_000)])


class CountForm(FlaskForm):
    """What lies there this evening."""

    vault = _number(_l("In the vault"))
    branch = _number(_l("In the branch's stock"))
    officer = _number(_l("With officers"))
    returned = _number(_l("Returned, waiting for destruction"))


class FindingForm(FlaskForm):
    """What came of an alarm."""

    finding = _text(_l("What was found"), _KEPT, limit=300)
