import re
from pathlib import Path

from ushield import errors

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.UShieldError)]
LEAVES = [kind for kind in ALL if not any(issubclass(other, kind) and other is not kind for other in ALL)]


def test_no_two_kinds_of_trouble_share_a_code() -> None:
    codes = [kind.code for kind in LEAVES]

    assert len(set(codes)) == len(codes)


def test_the_hotlines_list_names_every_code_with_its_exit_status() -> None:
    readme = (Path(errors.__file__).parent / "README.md").read_text("utf-8")

    listed = {code: int(status) for code, status in re.findall(r"^\| (D-\d\d) \| (\d+) \|", readme, re.MULTILINE)}

    named: list[type[errors.UShieldError]] = [*LEAVES, errors.UShieldError]
    assert listed == {kind.code: kind.exit_status for kind in named}
