"""What we ask for is what we use: nothing is installed for nobody, and nothing is used that only came along."""

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.sources import PACKAGES, PRODUCT, ROOT, TESTS, parsed

MIGRATIONS = [ROOT / "migrations" / "env.py"]
PACKAGE_OF = {"pkcs11": "python-pkcs11"}
# Started by name (`python -m …`), or offered to operators beside our own command.
USED_BY_NAME = {"flask-migrate"}
# Named to hold it back, not to use it.
HELD_BACK = {"python-dateutil"}
PUBLISHERS = "requirements-publishers.in"
# Copied as files, so one imports the other that lies beside it.
SIBLINGS = {path.stem for path in (ROOT / "relying_party").glob("*.py")}


def imported_by(paths: Iterable[Path]) -> set[str]:
    modules: set[str] = set()
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add((node.module or "").partition(".")[0])
    foreign = modules - sys.stdlib_module_names - {*PACKAGES, *SIBLINGS, "tests", "_typeshed"}
    return {PACKAGE_OF.get(module, module.replace("_", "-")) for module in foreign}


def wanted_by(name: str) -> set[str]:
    lines = (ROOT / name).read_text("ascii").splitlines()
    asked = (re.split(r"[\[<>=]", line)[0] for line in lines if line and not line.startswith(("#", "-")))
    return set(asked) - HELD_BACK


def test_everything_the_product_imports_is_asked_for_by_name() -> None:
    # botocore comes with boto3, which is made of it.
    assert imported_by([*PRODUCT, *MIGRATIONS]) - wanted_by("requirements.in") - wanted_by(PUBLISHERS) == {"botocore"}


def test_everything_asked_for_is_used() -> None:
    assert wanted_by("requirements.in") - imported_by([*PRODUCT, *MIGRATIONS]) - USED_BY_NAME == set()


def test_everything_the_tests_import_is_asked_for_by_name() -> None:
    assert (
        imported_by(TESTS) - wanted_by("requirements.in") - wanted_by("requirements-dev.in") - wanted_by(PUBLISHERS)
        == set()
    )


def test_what_publication_targets_need_is_loaded_by_them_alone() -> None:
    needing = {path.name for path in PRODUCT if imported_by([path]) & {"boto3", "botocore", "ldap3"}}
    assert needing == {"s3.py", "ldap.py"}
