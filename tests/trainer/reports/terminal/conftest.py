"""What a terminal shows of the bytes that it is sent, and records of any number of terms."""

import re

import pytest

from trainer.reports.log import LogRecord

_LONG = (
    *("classification", "embedding_regularization", "smoothness", "border_consistency", "layer_1.activation_penalty"),
    *("layer_2.activation_penalty", "kl", "total_variation_of_logits", "orthogonality", "entropy", "calibration"),
    "decorrelation",
)


def _rows(text, width):
    """The rows of a terminal so wide; it knows what Termwise sends, and fails on all else."""
    rows, y, x = [""], 0, 0
    for found in re.finditer(r"\x1b\[(\d*)([AK])|\x1b\[[\d;]*m|(\r?\n)|(\r)|([^\x1b\r\n])|(.)", text, re.DOTALL):
        number, code, line, start, sign, other = found.groups()
        assert not other, f"a control code that hides the cursor, or another one: {text[found.start() :][:12]!r}"
        if code == "A":
            y -= int(number)
            assert y >= 0, "the cursor leaves the top"
        elif code == "K":
            assert number == "2"
            rows[y] = ""
        elif line:
            y, x = y + 1, 0
            rows += [""] * (y == len(rows))
        elif start:
            x = 0
        elif sign:
            if x == width:
                y, x = y + 1, 0
                rows += [""] * (y == len(rows))
            rows[y] = f"{rows[y]:{x}}"[:x] + sign + rows[y][x + 1 :]
            x += 1
    return rows


@pytest.fixture(scope="session")
def rows_of():
    """The rows that a terminal of some width shows of what it is sent."""
    return _rows


@pytest.fixture(scope="session")
def record():
    """Makes a record of so many terms, 3 with short names or 12 with long ones; each is a third of the one before."""

    def make(step=200, count=12, split="train", **more):
        names = _LONG if count > 3 else ("data", "small", "range")[:count]
        weighted = {name: 4.0 * 3.0**-i / (step + 1) for i, name in enumerate(names)}
        values = {"loss/total": sum(weighted.values())}
        for name, value in weighted.items():
            values |= {f"terms/{name}/raw": value / 0.5, f"terms/{name}/weight": 0.5, f"terms/{name}/weighted": value}
        return LogRecord(split, step, values | {tag.replace("__", "/"): value for tag, value in more.items()})

    return make
