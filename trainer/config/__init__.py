"""Config: reads gin files and bindings, and answers each mistake in them with what would have been right.

gin is asked to register things where they are defined; here it is only fed and questioned. What is here looks into
tables that gin 0.5.0 keeps to itself, which is why pyproject.toml pins that version.
"""

from trainer.config.building import bound as bound
from trainer.config.building import build as build
from trainer.config.files import load as load
from trainer.config.registry import configurables as configurables
