"""Other columns: where evaluation would read other columns of CSV files than training, or in another order."""

from objectives.errors import Mistakes
from trainer.feeds.files.csv import CsvSource
from trainer.feeds.overlap import pairs
from trainer.feeds.sources import Source


def refuse_other_columns(train: Source, eval: Source | None) -> None:
    """Raises ConfigurationError where a model would be given other numbers in the place of those that it learned from.

    A source that names its inputs itself is taken at its word.
    """
    mistakes = Mistakes()
    for trained, evaluated, part in pairs(train, eval):
        if not (isinstance(trained, CsvSource) and isinstance(evaluated, CsvSource)):
            continue
        if evaluated.inputs is None and evaluated.columns != trained.columns:
            mistakes.messages.append(
                f"the columns{part} that evaluation reads as inputs are {evaluated.columns}, and those of training are "
                f"{trained.columns}; expected the same in one order: name them in both by CsvSource.inputs = "
                f"{trained.columns}"
            )
    mistakes.raise_any()
