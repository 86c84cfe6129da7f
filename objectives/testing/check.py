"""Check: one thing that holds for every sound term, with a name, and how it tells that it does not."""

import dataclasses
from collections.abc import Callable, Sequence

from objectives.base_term import BaseTerm
from objectives.batch_statistic import BatchStatistic
from objectives.blame import told
from objectives.term import Term
from objectives.testing.refusals import refusal
from objectives.testing.report import FAILED, NOT_APPLICABLE, NOT_CHECKED, PASSED, Outcome
from objectives.testing.subject import Subject
from objectives.weight_penalty import WeightPenalty

EVERY_KIND = (Term, BatchStatistic, WeightPenalty)
OF_BATCHES = (Term, BatchStatistic)
_REFUSED = (
    "refused by the term: {refused}. Say by ranges= for which numbers it is, or, where these have an order as well, "
    "leave the check out by except_for={except_for}"
)


class Fault(Exception):
    """Ends a check whose term does not keep to it; the message says what was found and what to change."""


class NotApplicable(Exception):
    """Ends a check that has nothing to look at in a term; the message says why."""


class NotChecked(Exception):
    """Ends a check that says nothing of a term on what was drawn for it; the message says what to give instead."""


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that holds for every sound term.

    Attributes:
      name: by which it is reported and left out.
      run: takes the term with its tensors, and returns what it found in words, which may be nothing to say.
      kinds: the base classes of the terms that it is for.
      needs: the names of checks without which its numbers say nothing; where one has failed, it is not run.
      varies: whether it puts in numbers of its own, which a formula may refuse.
      by_shapes: whether shapes that do not suit the formula look like its fault, so that a fault names those drawn.
    """

    name: str
    run: Callable[[Subject], str]
    kinds: Sequence[type[BaseTerm]] = EVERY_KIND
    needs: Sequence[str] = ()
    varies: bool = False
    by_shapes: bool = False

    def outcome(self, subject: Subject) -> Outcome:
        """Runs the check; whatever the code of the term raises is a fault that is reported by the name of the check."""
        if not isinstance(subject.term, tuple(self.kinds)):
            return Outcome(self.name, NOT_APPLICABLE, f"for {' and '.join(kind.__name__ for kind in self.kinds)} only")
        try:
            return Outcome(self.name, PASSED, self.run(subject))
        except NotApplicable as reason:
            return Outcome(self.name, NOT_APPLICABLE, str(reason))
        except NotChecked as reason:
            return Outcome(self.name, NOT_CHECKED, str(reason))
        except Fault as fault:
            return Outcome(self.name, FAILED, f"{fault}{self._shapes(subject)}")
        except Exception as error:
            if self.varies and (refused := refusal(error)):
                return Outcome(self.name, NOT_CHECKED, _REFUSED.format(refused=refused, except_for={self.name: "why"}))
            return Outcome(self.name, FAILED, f"{told(error)}{self._shapes(subject)}")

    def _shapes(self, subject: Subject) -> str:
        """Returns which shapes were drawn and what gives others, if that may be the remedy."""
        shapes = {subject.names[key]: subject.tensors[key].shape for key in subject.of_batch if key in subject.drawn}
        if not (self.by_shapes and shapes):
            return ""
        drawn = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        name = next((subject.names[key] for key in subject.by if subject.names[key] in shapes), next(iter(shapes)))
        deeper = (*shapes[name], 2)
        return (
            f" (in shapes that were drawn: {drawn}; where the formula is for others, shapes={{{name!r}: {deeper}}} "
            f"gives them, or --shapes={name}={'x'.join(map(str, deeper))} of the command)"
        )
