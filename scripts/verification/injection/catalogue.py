"""Catalogue: the faults that are injected."""

import functools
import pathlib
from collections.abc import Callable, Iterator

from termwise.verification.injection.disks import disk, full, read_only
from termwise.verification.injection.fault import Fault
from termwise.verification.injection.fault_runner import LATEST

_DISK = "24m"


def _cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _alter(path: pathlib.Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _damage(how: Callable[[pathlib.Path], None], file: str, workdir: pathlib.Path) -> None:
    how(workdir / "checkpoints" / LATEST / file)


def _damaged() -> Iterator[Fault]:
    """Yields each file of the latest checkpoint, in each way."""
    ways: dict[str, Callable[[pathlib.Path], None]] = {
        "is cut short": _cut,
        "is missing": pathlib.Path.unlink,
        "has one bit altered": _alter,
    }
    for file in ("state.npz", "progress.json", "manifest.json"):
        for way, damage in ways.items():
            yield Fault(
                name=f"`{file}` of the latest checkpoint {way}",
                status=0,
                says=rf"{LATEST} is damaged: {file} .*000026 is used instead",
                before=functools.partial(_damage, damage, file),
                resumes=True,
            )


def _not_finite() -> Iterator[Fault]:
    """Values that are NaN or infinite, by their origin and by the policy for them."""
    stops = "would not be finite: the {} is nan.* its update was not applied"
    data = (
        r"would not be finite: the raw values of the terms 'data' and 'small' are not finite, as inputs is not finite, "
        r"for number \d+ of the batch's 30 examples \(example 123 of the data, from 0 on\); its update was not applied"
    )
    skip, back = "Trainer.non_finite = 'skip'", "Trainer.non_finite = 'rollback'"
    twice, often = "Trainer.non_finite_limit = 2", "Trainer.non_finite_limit = 1000"
    poisoned = "Everything.poisoned = 123"
    for name, status, says, bindings in (
        ("An input is NaN", 3, data, ()),
        (f"An input is NaN, {skip}", 0, "continuing with the next batch", (skip, often)),
        (f"An input is NaN, {back}", 0, "returned to step 13", (back, often)),
        (f"An input is NaN, {skip}, {twice}", 3, data, (skip, twice)),
    ):
        yield Fault(name=name, status=status, says=says, bindings=(poisoned, *bindings))
    for name, what, term in (
        ("A term is NaN", "raw value of the term 'bad'", "NotANumber"),
        ("The gradient of a term is infinite", "gradient of the term 'bad'", "InfiniteGradient"),
    ):
        says = f"step 101 {stops.format(what)}"
        yield Fault(name=name, status=3, says=says, bindings=(f"Objective.bad = @{term}()",))


def _damage_all(workdir: pathlib.Path) -> None:
    for path in (workdir / "checkpoints").glob("*/state.npz"):
        _cut(path)


FAULTS = [
    *_damaged(),
    Fault(
        name="Every checkpoint is damaged",
        status=2,
        says="every checkpoint is damaged .* start again",
        before=_damage_all,
    ),
    Fault(
        name="The disk is too small from the start",
        status=2,
        says="MB free; expected",
        around=functools.partial(disk, "1m"),
    ),
    Fault(
        name="The disk fills up in the middle of the run",
        status=1,
        says="No space left on device.*The latest intact checkpoint",
        around=functools.partial(disk, _DISK),
        during=full,
        resumes=True,
    ),
    Fault(
        name="The folder is read-only from the start",
        status=2,
        says="Read-only file system",
        around=functools.partial(read_only, ""),
    ),
    Fault(
        name="The checkpoints turn read-only in the middle of the run",
        status=1,
        says="Read-only file system.*The latest intact checkpoint",
        during=functools.partial(read_only, "checkpoints"),
        resumes=True,
    ),
    *_not_finite(),
    Fault(
        name="A report cannot write",
        status=1,
        says="ConnectionError: the tracking server hung up",
        bindings=("Trainer.reports = [@BrokenReport()]",),
    ),
]
