"""config/settings.py: publication targets."""

from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.wiring import open_targets, places
from config.settings import Settings, State, load_settings

_BASE = """
public_url = "http://pki.example"
enrolment_url = "https://pki.example"
origins = ["https://pki.example"]
[listening]
https_port = 8443
http_port = 8080
"""
_S3 = """
[[publication.targets]]
name = "cloud"
kind = "s3"
endpoint_url = "https://s3.example"
bucket = "pki"
credentials_file = "/etc/none"
public_url = "https://cdn.example/bank/"
"""
_LDAP = """
[[publication.targets]]
name = "ldap"
kind = "ldap"
url = "ldaps://ldap.example"
base = "dc=example"
ca_file = "/etc/ca"
bind_dn = "cn=x"
password_file = "/etc/none"
"""


def load(directory: Path, text: str) -> Settings:
    (directory / "settings.toml").write_text(_BASE + text, "utf-8")
    return load_settings(State(directory))


def test_targets_are_opened_by_what_the_settings_say(tmp_path: Path) -> None:
    settings = load(tmp_path, _S3 + _LDAP)
    assert [target.name for target in open_targets(settings)] == ["cloud", "ldap"]
    assert [(place.name, place.url) for place in places(settings)] == [
        ("directory", "http://pki.example/crl"),
        ("cloud", "https://cdn.example/bank/crl"),
    ]
    assert open_targets(load(tmp_path, "")) == []
    here = _LDAP.replace('ca_file = "/etc/ca"', "").replace("ldaps://ldap.example", "ldap://127.0.0.1:3389")
    assert load(tmp_path, here).publication.targets


@pytest.mark.parametrize(
    "text",
    [
        _S3.replace('"s3"', '"ftp"'),
        _S3.replace("bucket", "buckets"),
        _S3 + 'secret_access_key = "in clear"\n',
        _S3.replace('"cloud"', '"Cloud 9"'),
        _S3 + _S3,
        _S3.replace('"cloud"', '"directory"'),
        _LDAP.replace("ldaps://ldap.example", "http://ldap.example"),
        _LDAP.replace('ca_file = "/etc/ca"', ""),
        _S3.replace("https://s3.example", "s3.example"),
        _S3.replace("https://s3.example", "https://"),
    ],
)
def test_what_is_no_target_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotReady, match="publication"):
        load(tmp_path, text)
