"""Samples: for a parameter that has to be given, a value that gin reads, to be replaced by the reader's own."""

import re
from typing import Any

from objectives.annotations import expected_value

# By what an annotation is called in words; the first that occurs in these counts.
_BY_WORDS = {
    "instance of Optimizer": "@keras.optimizers.Adam()",
    "each item: a sequence": "[[0.0, 1.0], [1.0, 0.0]]",
    "each item: a finite number": "[1.0, 0.1]",
    "each item: a whole number": "[1000]",
    "whole number": "10",
    "number": "1.0",
}
# Of parameters of Keras, which have no annotations.
_BY_NAME = {
    "boundaries": "[1000]",
    "decay_rate": "0.9",
    "decay_steps": "1000",
    "filename": "'log.csv'",
    "first_decay_steps": "1000",
    "initial_learning_rate": "0.001",
    "num_classes": "10",
    "precision": "0.5",
    "recall": "0.5",
    "sensitivity": "0.5",
    "specificity": "0.5",
    "target_class_ids": "[1]",
    "values": "[0.001, 0.0001]",
}
_ANY = "'...'"


def sample(parameter: str, annotation: Any | None) -> str:
    """Returns a value for a parameter, and behind it what may stand there, if an annotation says it.

    >>> from objectives.annotations import Count
    >>> sample("steps", Count), sample("decay_rate", None)
    ('10  # a whole number above 0', '0.9')
    """
    if annotation is None:
        return _BY_NAME.get(parameter, _ANY)
    words = expected_value(annotation)
    such_as = re.search(r"such as ('[^']*'|@[\w.]+(?:\(\))?)", words)
    value = such_as[1] if such_as else next((value for of, value in _BY_WORDS.items() if of in words), _ANY)
    return f"{value}  # {words}"
