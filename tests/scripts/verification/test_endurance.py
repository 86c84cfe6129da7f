"""scripts/verification/endurance.py: what a run holds is seen from outside, and growth is an error."""

import pytest

SHORT = ("--steps=200", "--mark=100")


@pytest.fixture(scope="module")
def watched(scripts):
    """A short run that may double its memory, and one that may not even keep it."""
    return scripts(
        {
            "may grow": ("verification/endurance.py", *SHORT, "--bound=1.0"),
            "must shrink": ("verification/endurance.py", *SHORT, "--bound=-0.9"),
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("may grow", 0), ("must shrink", 1)])
def test_growth_beyond_the_bound_is_the_status(watched, name, status):
    process = watched[name]
    assert process.returncode == status, process.stdout + process.stderr
    rows = [line.replace(",", "").split("│")[1:-1] for line in process.stdout.splitlines() if line.startswith("│")]
    assert [int(row[0]) for row in rows] == [100, 200]
    for _, memory, files, threads in rows:
        assert float(memory) > 100
        assert float(files) > 3
        assert float(threads) > 1
