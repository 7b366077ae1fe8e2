"""The forms officers fill in. They catch what is empty or too long; every rule stays with the signer."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateTimeLocalField, Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from admin.errors import sentence
from ca.domain.customers import CustomerKind
from ca.domain.errors import InvalidRequest
from ca.domain.names import verify_text
from ca.domain.officers import TrustedRole
from ca.domain.revocation import RFC_NAMES, RevocationReason


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


class CustomerForm(FlaskForm):
    """Who stands at the counter."""

    kind = SelectField(_l("Kind"), choices=[kind.value for kind in CustomerKind])
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

    def list_host_names(self) -> list[str]:
        """One in each line, blanks aside."""
        return (self.host_names.data or "").split()


class ReasonForm(FlaskForm):
    """Why something is refused, taken back or changed; the person concerned reads it."""

    reason = _text(_l("Reason"), _l("In a few words; it is kept in the audit log."), limit=300)


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


class ProfileForm(FlaskForm):
    """The next version of a profile."""

    text = TextAreaField(
        _l("The profile"),
        [DataRequired(_l("Fill this in.")), Length(max=20_000)],
        description=_l("As the configuration writes it. Change what is to change; the number is the next one already."),
        render_kw={"class": "source", "rows": 28, "spellcheck": "false"},
    )
    effective_from = DateTimeLocalField(
        _l("In force from"),
        [DataRequired(_l("Choose a time that is still to come."))],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description=_l("In the time of this machine; not in the past."),
    )
    reason = _text(_l("Reason"), _l("Why; the other administrator reads it, and it is kept."), limit=300)


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
        choices=["", *(name for code, name in RFC_NAMES.items() if code is not RevocationReason.CERTIFICATE_HOLD)],
    )


class InvitationForm(FlaskForm):
    """Who is to become an officer."""

    person = _text(_l("Employee number"), _l("One person, one number: it never changes."))
    name = _text(_l("Name"))
    branch = _text(_l("Branch"))
    roles = SelectMultipleField(
        _l("Roles"),
        [DataRequired(_l("Choose at least one role."))],
        choices=[role.value for role in TrustedRole],
    )


class EmptyForm(FlaskForm):
    """Only the CSRF token: for commands that need no more words."""
