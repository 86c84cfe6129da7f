"""Prints every term, schedule, metric, source and task: what it does, its formula, its fields, gin lines that add it.

After them, every setting of `Trainer`: its default, its range, its meaning, and whether a resumed run may change it.

termwise catalogue
"""

from termwise.cli.command_line import run  # isort: skip (first: it quiets TensorFlow)

import inspect

from objectives import BaseTerm
from objectives.schedules import Schedule
from termwise.cli.entries import entry, setting
from trainer import Metric, Source, Task, Trainer, config

_SETTINGS = "Settings of Trainer"
_FAMILIES = (
    ("Terms", BaseTerm),
    ("Schedules of a weight", Schedule),
    ("Metrics", Metric),
    ("Sources", Source),
    ("Tasks", Task),
)


def main(_: list[str]) -> None:
    found = config.configurables().values()
    for title, family in _FAMILIES:
        members = [c for c in found if isinstance(c, type) and issubclass(c, family)]
        print(f"{title}\n{'=' * len(title)}\n")
        for member in members:
            print(f"{entry(member)}\n")
    print(f"{_SETTINGS}\n{'=' * len(_SETTINGS)}\n")
    for field in inspect.signature(Trainer).parameters.values():
        print(f"{setting(field)}\n")


if __name__ == "__main__":
    run(main)
