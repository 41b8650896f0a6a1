"""Rules in class form (pypanther): which classes of a text are rules, and their attributes as literals."""

from __future__ import annotations

from collections.abc import Mapping

from converter.platforms.panther.importing.python.interface import Attribute, Modules, PythonSource


def rule_classes(source: PythonSource, modules: Modules) -> tuple[str, ...]:
    """The names of the classes that are rules: those that inherit, here or elsewhere, from ``Rule``."""
    return ()


def class_attributes(source: PythonSource, modules: Modules) -> Mapping[str, Attribute]:
    """The attributes of the class ``source.class_name``, those of its bases included."""
    return {}
