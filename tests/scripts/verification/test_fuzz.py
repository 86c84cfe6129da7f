"""scripts/verification/fuzz.py: one round of configurations, counted, with the seed that draws them again."""

import re

import pytest


@pytest.mark.slow
def test_a_round_says_what_it_drew_and_from_which_seed(script):
    process = script("verification/fuzz.py", "--minutes=0", "--round=2", "--seed=7")
    assert process.returncode == 0, process.stdout + process.stderr
    lines = process.stdout.splitlines()
    assert lines[0] == "seed 7"
    assert re.fullmatch(r"\d+ configurations in 1 rounds from seed 7: nothing found", lines[-1])
    assert sum(int(line.split()[0]) for line in lines[1:-1]) == int(lines[-1].split()[0])
