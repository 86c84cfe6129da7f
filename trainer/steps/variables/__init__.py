"""Variables: which ones a step owns, where their parts lie, and what a traced step reads or writes besides them."""
