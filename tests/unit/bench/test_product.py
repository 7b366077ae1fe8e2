"""The settings file as the bench changes it."""

import tomllib

from bench.product import with_settings

SETTINGS = 'demo = true\n\n[listening]\nhttp_port = 8080\n\n[ocsp]\nkey = "hsm"\nlife = 60\n'


def test_a_setting_is_set_anew_and_its_neighbours_stay() -> None:
    changed = tomllib.loads(with_settings(SETTINGS, {"ocsp": {"key": '"memory"'}}))

    assert changed == tomllib.loads(SETTINGS) | {"ocsp": {"key": "memory", "life": 60}}


def test_a_section_that_is_missing_is_added() -> None:
    changed = tomllib.loads(with_settings("demo = true\n", {"ocsp": {"key": '"memory"', "workers": "2"}}))

    assert changed == {"demo": True, "ocsp": {"key": "memory", "workers": 2}}


def test_a_setting_is_added_to_its_section_and_to_no_other() -> None:
    changed = tomllib.loads(with_settings(SETTINGS, {"listening": {"workers": "2"}}))

    assert changed["listening"] == {"http_port": 8080, "workers": 2}
    assert changed["ocsp"] == {"key": "hsm", "life": 60}
