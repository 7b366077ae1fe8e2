"""The list of drivers that customers' tools may load: what the bank packs, the tool reads."""

from dataclasses import asdict
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from config.provider_files import load_providers
from ushield.provider_list import brought_along, listed


def text(**changes: object) -> str:
    entry = {"name": "maker", "title": "Maker", "linux": ["/usr/lib/maker.so"]} | changes
    return "[[provider]]\n" + "".join(f"{name} = {value!r}\n" for name, value in entry.items())


def test_our_own_list_reads_the_same_packed_and_brought_along() -> None:
    packed = listed([asdict(provider) for provider in load_providers()])

    assert packed == brought_along()
    assert packed[0].name == "softhsm"


def test_a_bank_has_a_list_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(text(windows=["C:/Windows/System32/maker.dll"]))

    (provider,) = load_providers(file)

    assert provider.title == "Maker"
    assert provider.windows == ("C:/Windows/System32/maker.dll",)
    assert provider.macos == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("", "provider"),
        ("no toml", "providers.toml"),
        (text(linux=["usr/lib/maker.so"]), "whole path"),
        (text(linux=["/usr/lib/../maker.so"]), "whole path"),
        (text(linux=["/usr/**/maker.so"]), "whole path"),
        (text(windows=["/Windows/maker.dll"]), "whole path"),
        (text(name="Maker's"), "name"),
        (text(title=""), "title"),
        (text(linux=[]), "some kind of computer"),
        (text(colour="blue"), "colour"),
        (text() + text(), "of its own"),
        (text() + text(name="other"), "of its own"),
    ],
)
def test_a_wrong_list_stops_the_start_with_its_first_bad_key(tmp_path: Path, wrong: str, said: str) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(wrong)

    with pytest.raises(NotReady, match=said):
        load_providers(file)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"nowhere\.toml"):
        load_providers(tmp_path / "nowhere.toml")
