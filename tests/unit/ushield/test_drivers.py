"""Which modules the tool loads: what the bank listed when a page asks (THREATS 25), whatever is named at a terminal."""

import os
from pathlib import Path
from typing import Any

import pytest

from ushield.choosing import pick
from ushield.errors import NoProvider, ProviderUnknown, ProviderUnsafe
from ushield.provider_list import Listed, listed
from ushield.providers import Drivers
from ushield.trusted import objection


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory in which a stranger's program registered a module with p11-kit."""
    monkeypatch.setenv("HOME", str(tmp_path))
    registered = tmp_path / ".config" / "pkcs11" / "modules"
    registered.mkdir(parents=True)
    stranger = tmp_path / "stranger.so"
    stranger.write_bytes(b"")
    (registered / "stranger.module").write_text(f"module: {stranger}\n")
    return tmp_path


@pytest.fixture
def maker(tmp_path: Path) -> Path:
    module = tmp_path / "maker" / "maker.so"
    module.parent.mkdir(mode=0o755)
    module.write_bytes(b"")
    module.chmod(0o644)
    return module


def listing(*modules: Path) -> tuple[Listed, ...]:
    return tuple(Listed(module.stem, module.stem.title(), (str(module),)) for module in modules)


def test_a_page_has_only_listed_modules_loaded(home: Path, maker: Path) -> None:
    page = Drivers(listing(maker), for_page=True)
    terminal = Drivers(listing(maker))

    assert [one.path for one in page.installed()] == [maker]
    assert "stranger" in [one.name for one in terminal.installed()]


def test_a_terminal_takes_a_path_and_a_name(home: Path, maker: Path) -> None:
    terminal = Drivers(listing(maker))

    assert terminal.resolve("MAKER").path == maker
    assert terminal.resolve(str(home / "stranger.so")).name == "stranger"
    with pytest.raises(ProviderUnknown, match=r"maker"):
        terminal.resolve("other")


def test_one_module_with_two_names_is_looked_at_once(maker: Path) -> None:
    alias = maker.with_name("alias.so")
    alias.symlink_to(maker)

    assert [one.name for one in Drivers(listing(maker, alias), for_page=True).installed()] == ["maker"]


def test_nothing_installed_is_said_to_be_so() -> None:
    with pytest.raises(NoProvider):
        pick(Drivers((), for_page=True).look(), None)


def test_a_module_that_others_can_change_is_not_loaded_for_a_page(maker: Path) -> None:
    maker.chmod(0o666)

    (found,) = Drivers(listing(maker), for_page=True).look()

    assert found.trouble is not None
    assert "others can write" in found.trouble
    with pytest.raises(ProviderUnsafe, match=r"Maker"):
        pick([found], None)


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_so_is_one_in_a_directory_that_others_can_change(maker: Path, mode: int) -> None:
    maker.parent.chmod(mode)

    assert objection(maker) == f"others can write to {maker.parent}"


def test_a_link_through_a_directory_that_others_can_change_counts(maker: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "maker.so").symlink_to(maker)

    assert objection(shared / "maker.so") == f"others can write to {shared}"


def test_a_sticky_directory_above_is_no_objection(maker: Path) -> None:
    maker.parent.chmod(0o1777)

    assert objection(maker) is None


def test_a_module_that_nobody_else_can_change_is_loaded(maker: Path) -> None:
    assert objection(maker) is None


def test_a_module_that_is_gone_is_not_loaded(tmp_path: Path) -> None:
    assert objection(tmp_path / "gone.so") == f"{tmp_path / 'gone.so'} cannot be looked at"


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"name": "a", "title": "A", "linux": ["relative.so"]}],
        [{"name": "a", "title": "A", "linux": ["/usr/../a.so"]}],
        [{"name": "a", "title": "", "linux": []}],
        [{"name": "a", "title": "A", "script": "x"}],
        [{"name": "a", "title": "A"}, {"name": "a", "title": "B"}],
        [{"title": "A"}],
        7,
    ],
)
def test_a_list_is_believed_whole_or_not_at_all(entries: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        listed(entries)


def test_a_module_of_another_user_is_not_loaded(maker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(maker, 4242, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: 4242)

    assert objection(maker) == f"{maker} belongs to another user"
