"""An independent second opinion on what we are about to sign: pkilint, in this process (RFC 5280, RFC 6960).

pkilint takes half a second to import, so only the process that signs imports this module. It reads whole
documents: give it the draft with a signature of the right shape; signatures are not its business.
"""

from collections.abc import Callable
from typing import Any

from pkilint import loader, pkix
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity

# pkilint asks for a dot in a host name, as on the public Web; `localhost` is a name too (RFC 1034 section 3.5, RFC 6761
# section 6.3), and the demo's TLS server has no other.
_LOCALHOST = (
    'ERROR pkix.invalid_domain_name_syntax: Invalid domain name syntax: "localhost"',
    'ERROR pkix.invalid_uri_syntax: Invalid URI syntax: "http://localhost:',
)


class PkilintLinter:
    """Findings from NOTICE upwards, as `SEVERITY code: message`. No finding, no objection."""

    def __init__(self) -> None:
        self._certificates = _certificate_rules()
        self._crls = _crl_rules()
        self._ocsp_responses = _ocsp_rules()

    def lint_certificate(self, der: bytes) -> list[str]:
        return _findings(self._certificates, loader.load_der_certificate, der)

    def lint_crl(self, der: bytes) -> list[str]:
        return _findings(self._crls, loader.load_der_crl, der)

    def lint_ocsp_response(self, der: bytes) -> list[str]:
        return _findings(self._ocsp_responses, loader.load_der_ocsp_response, der)


# pkilint publishes no types: its rules and documents are Any here, and nowhere else.


def _certificate_rules() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def _crl_rules() -> Any:
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def _ocsp_rules() -> Any:
    return ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )


def _findings(rules: Any, load: Callable[[bytes, str], Any], der: bytes) -> list[str]:
    try:
        document = load(der, "draft")
    except ValueError as error:
        return [f"FATAL unreadable: {error}"]
    findings = [
        f"{description.finding.severity} {description.finding.code}: {description.message or result.node.path}"
        for result in rules.validate(document.root)
        for description in result.finding_descriptions
        if description.finding.severity <= ValidationFindingSeverity.NOTICE
    ]
    return [finding for finding in findings if not finding.startswith(_LOCALHOST)]
