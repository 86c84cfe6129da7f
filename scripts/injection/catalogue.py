"""Catalogue: the faults that are injected."""

import functools
import pathlib
from collections.abc import Iterator

from injection.disks import disk, full, read_only
from injection.fault import Fault
from injection.laboratory import NEWEST

_DISK = "24m"


def _cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _alter(path: pathlib.Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _damaged() -> Iterator[Fault]:
    """Each file of the newest checkpoint, in each way."""
    ways = {"is cut short": _cut, "is missing": pathlib.Path.unlink, "has one bit altered": _alter}
    for file in ("state.npz", "progress.json", "manifest.json"):
        for way, damage in ways.items():
            yield Fault(
                name=f"`{file}` of the newest checkpoint {way}",
                status=0,
                says=rf"{NEWEST} is damaged: {file} .*000026 is used instead",
                before=lambda workdir, file=file, damage=damage: damage(workdir / "checkpoints" / NEWEST / file),
            )


def _damage_all(workdir: pathlib.Path) -> None:
    for path in (workdir / "checkpoints").glob("*/state.npz"):
        _cut(path)


_POISONED = ("Everything.poisoned = 123",)
FAULTS = [
    *_damaged(),
    Fault(
        name="Every checkpoint is damaged",
        status=2,
        says="none of the checkpoints is sound .* begin anew",
        before=_damage_all,
        goes_on=False,
    ),
    Fault(
        name="The disk is too small from the start",
        status=2,
        says="MB free; expected",
        around=functools.partial(disk, "1m"),
        goes_on=False,
    ),
    Fault(
        name="The disk fills up in the middle of the run",
        status=1,
        says="No space left on device.*The newest sound checkpoint",
        around=functools.partial(disk, _DISK),
        during=full,
    ),
    Fault(
        name="The folder is read-only from the start",
        status=2,
        says="Read-only file system",
        around=functools.partial(read_only, ""),
        goes_on=False,
    ),
    Fault(
        name="The checkpoints turn read-only in the middle of the run",
        status=1,
        says="Read-only file system.*The newest sound checkpoint",
        during=functools.partial(read_only, "checkpoints"),
    ),
    Fault(
        name="An input is NaN, Trainer.non_finite = 'raise'",
        status=3,
        says="step .* would not be finite: .* 'data' is nan; its update was not applied",
        bindings=_POISONED,
        goes_on=False,
    ),
    *(
        Fault(
            name=f"An input is NaN, Trainer.non_finite = '{policy}'",
            status=0,
            says=f"would not be finite: .* 'data' is nan; {what}",
            bindings=(*_POISONED, f"Trainer.non_finite = '{policy}'", "Trainer.non_finite_limit = 1000"),
            goes_on=False,
        )
        for policy, what in (("skip", "it takes the next batch instead"), ("rollback", "back to step"))
    ),
    Fault(
        name="An input is NaN, Trainer.non_finite = 'skip', more often than Trainer.non_finite_limit",
        status=3,
        says="would not be finite: .* 'data' is nan; its update was not applied",
        bindings=(*_POISONED, "Trainer.non_finite = 'skip'", "Trainer.non_finite_limit = 2"),
        goes_on=False,
    ),
    Fault(
        name="A term is NaN",
        status=3,
        says="step 101 would not be finite: the raw value of the term 'bad' is nan",
        bindings=("Objective.bad = @NotANumber()",),
        goes_on=False,
    ),
    Fault(
        name="The gradient of a term is infinite",
        status=3,
        says="step 101 would not be finite: the gradient of the term 'bad' is (inf|nan)",
        bindings=("Objective.bad = @InfiniteGradient()",),
        goes_on=False,
    ),
    Fault(
        name="A report cannot write",
        status=1,
        says="ConnectionError: the tracking server hung up",
        bindings=("Trainer.reports = [@BrokenReport()]",),
        goes_on=False,
    ),
]
