"""The example without gin trains a model that removes noise; the second time it shows the result of the first."""

import re

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(run_there):
    """What the script prints as it runs for the first time, and for the second."""
    return run_there("plain_python.py"), run_there("plain_python.py")


def result(text):
    """The lines from the first term on."""
    return text[text.index("data    raw") :]


def test_it_ends_with_each_term_their_total_and_a_picture(printed, copied):
    weighted = [float(number) for number in re.findall(r"weighted (\S+)", result(printed[0]))]
    (total,) = re.findall(r"^total +(\S+)", result(printed[0]), re.MULTILINE)
    assert sum(weighted) == pytest.approx(float(total), abs=2e-5)
    assert weighted[0] < 0.05  # the noise has the variance 0.16
    assert (copied / "runs/plain_python/digits.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_command_again_shows_the_result_of_the_finished_run(printed):
    assert result(printed[1]) == result(printed[0])
