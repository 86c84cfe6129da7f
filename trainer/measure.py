"""Measure: what a number that a task measures means, and which way it gets better."""

import dataclasses
from typing import Literal

from objectives import Key
from objectives.fields import Checked


@dataclasses.dataclass(frozen=True)
class Measure(Checked):
    """What a number of `Task.measure` means.

    Attributes:
      meaning: what it is, with its unit.
      better: "more" or "less", or the number that is right, where more and less are both worse.
      judges: the key of the output that it judges, such as 'outputs.picture', where some runs do not train that: of a
        run in which no term reads this output, it is chance. None where all runs train it.
    """

    meaning: str
    better: Literal["more", "less"] | float
    judges: Key | None = None

    @property
    def direction(self) -> str | None:
        """Which values are better, 'min' or 'max'; None where a number between them is right."""
        return {"more": "max", "less": "min"}.get(str(self.better))

    @property
    def sign(self) -> str:
        """An arrow for the way in which it gets better."""
        return {"more": "↑", "less": "↓"}.get(str(self.better)) or f"→ {self.better:g}"
