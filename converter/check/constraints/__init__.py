"""Events that make some conditions hold and others not, constructed or proved impossible."""
