"""The README's transcript is what the commands print."""

import re
import sys

import pytest

from tests.integration.system.running import REPOSITORY, Demo, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl]


def test_the_tour_prints_what_the_readme_shows_and_every_step_holds(demo: Demo):
    transcript = re.findall(r"^holds  .+$", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE)

    toured = run(sys.executable, "-m", "ca", "tour", "--state", demo.state)

    assert toured.status == 0, toured.text
    assert [line for line in toured.out.splitlines() if line.startswith(("holds  ", "FAILS  "))] == transcript
