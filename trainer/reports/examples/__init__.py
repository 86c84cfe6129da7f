"""Pictures of examples of evaluation: what goes in, what should and what did come out, and where each term objects."""
