"""Whole questions about learning flows, each from the equations to its report: a module with `run(folder, say)`."""
