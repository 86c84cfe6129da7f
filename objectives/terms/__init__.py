"""The bundled terms, a file a family; `objectives` exports them all."""
