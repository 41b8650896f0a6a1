"""The functions of a detection: those of its module, or the methods of its class."""

from __future__ import annotations

import ast
from typing import Final

from converter.platforms.panther.importing.python.interface import PythonSource
from converter.platforms.panther.importing.python.interpreter import Interpreter
from converter.platforms.panther.importing.python.values import Field, Instance, Routine, UnreadableError

EVENT: Final = Field(0, ())


def function_of(interpreter: Interpreter, source: PythonSource, name: str) -> Routine | None:
    """A function of the detection by its name; None: it has none. Raises UnreadableError for no Python."""
    try:
        if source.class_name is not None:
            instance = Instance(source, source.class_name)
            found = interpreter.names.member(source, source.class_name, name, instance).single
        else:
            found = interpreter.names.of_module(name, source, ast.Pass()).single
    except UnreadableError as error:
        if error.code == "python-syntax":
            raise
        return None
    return found if isinstance(found, Routine) else None
