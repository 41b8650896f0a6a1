"""Reading Python detections by abstract interpretation of their syntax tree; nothing is executed."""

from converter.platforms.panther.importing.python.classes import class_attributes, rule_classes
from converter.platforms.panther.importing.python.interface import (
    Attribute,
    DataModel,
    Detection,
    Made,
    Modules,
    PythonSource,
)
from converter.platforms.panther.importing.python.reader import read_detection
from converter.platforms.panther.importing.python.scopes import passed_on
from converter.platforms.panther.importing.python.shapes import Shape, Shapes

__all__ = [
    "Attribute",
    "DataModel",
    "Detection",
    "Made",
    "Modules",
    "PythonSource",
    "Shape",
    "Shapes",
    "class_attributes",
    "passed_on",
    "read_detection",
    "rule_classes",
]
