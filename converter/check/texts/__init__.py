"""Texts that satisfy several conditions at once, found or proved impossible by automata."""
