"""Relying parties that ask for a certificate policy get it: OpenSSL's policy processing, pkilint on each pair."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.profile_files import load_profiles
from tests.integration.system.clients import issuing_pem
from tests.integration.system.running import REPOSITORY, Demo, Ran, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]

PROFILES = load_profiles(REPOSITORY / "config" / "profiles")
CUSTOMERS_PROFILES = ["machine", "tls-server", "personal-signing", "corporate-operator", "officer"]


def verify(demo: Demo, directory: Path, certificate: Path, policy: str | None) -> Ran:
    assert policy
    return run(
        *("openssl", "verify", "-x509_strict", "-explicit_policy", "-policy", policy),
        *("-CAfile", demo.root_pem, "-untrusted", issuing_pem(demo, directory), certificate),
    )


@pytest.mark.parametrize("profile", CUSTOMERS_PROFILES)
def test_a_path_holds_for_the_policy_of_its_profile(
    demo: Demo, issued: Mapping[str, Path], tmp_path: Path, profile: str
) -> None:
    judged = verify(demo, tmp_path, issued[profile], PROFILES[profile].policy)

    assert judged.status == 0, judged


def test_a_path_holds_for_no_other_policy(demo: Demo, issued: Mapping[str, Path], tmp_path: Path) -> None:
    judged = verify(demo, tmp_path, issued["machine"], PROFILES["corporate-operator"].policy)

    assert (judged.status != 0, "no explicit policy" in judged.text) == (True, True), judged


def test_nothing_is_found_in_issuer_and_subject_together(
    demo: Demo, issued: Mapping[str, Path], tmp_path: Path
) -> None:
    issuing = issuing_pem(demo, tmp_path)
    pairs = [(demo.root_pem, issuing), *((issuing, issued[profile]) for profile in CUSTOMERS_PROFILES)]
    lint = Path(sys.executable).with_name("lint_pkix_signer_signee_cert_chain")

    findings = [run(lint, "lint", "-s", "NOTICE", signer, signee).text.strip() for signer, signee in pairs]

    assert findings == [""] * len(pairs)
