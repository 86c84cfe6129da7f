"""Config: reads gin files and bindings, and reports mistakes in them with what would have been right.

Classes are registered with gin where they are defined; this package only passes text to gin and queries it. It reads
private tables of gin 0.5.0, which is why pyproject.toml pins that version.
"""

from trainer.config.building import bound as bound
from trainer.config.building import build as build
from trainer.config.building import made as made
from trainer.config.building import placed as placed
from trainer.config.building import seed_generators as seed_generators
from trainer.config.files import load as load
from trainer.config.isolation import isolated as isolated
from trainer.config.modules import used_modules as used_modules
from trainer.config.printing import described as described
from trainer.config.registry import configurables as configurables
from trainer.config.uses import requested as requested
