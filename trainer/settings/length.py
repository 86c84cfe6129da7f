"""Length: how many steps a run has, for schedules in gin files that end with the run."""

import copy

import gin


@gin.register(module="trainer")
def run_steps() -> int:
    """Returns the configured `Trainer.steps`, whichever file or flag set it last.

    In a gin file, `CosineDecay.decay_steps = @run_steps()` lets a schedule end with the run.

    >>> _ = gin.parse_config("Trainer.steps = 70")
    >>> run_steps()
    70
    >>> gin.clear_config()
    """
    # A copy of a reference, such as that to a macro, is its value.
    return copy.deepcopy(gin.query_parameter("Trainer.steps"))
