"""Length: how many steps a run has, for schedules of gin files that are to end with it."""

import copy

import gin


@gin.register(module="trainer")
def run_steps() -> int:
    """`Trainer.steps` as it is configured, whichever file or flag said so last.

    >>> _ = gin.parse_config("Trainer.steps = 70")
    >>> run_steps()
    70
    >>> gin.clear_config()
    """
    # A copy of a reference, such as that to a macro, is its value.
    return copy.deepcopy(gin.query_parameter("Trainer.steps"))
