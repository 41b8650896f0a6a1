"""What a log looks like: packs, and what each platform stores of an event."""

from converter.logsources.canonical import canonical_event
from converter.logsources.canonicalise import canonicalise
from converter.logsources.loader import PackLibrary, built_in_names, load_packs
from converter.logsources.localise import (
    Localised,
    LocalisedPath,
    localise,
    localise_path,
)
from converter.logsources.project import project
from converter.logsources.recognise import find_packs

__all__ = [
    "Localised",
    "LocalisedPath",
    "PackLibrary",
    "built_in_names",
    "canonical_event",
    "canonicalise",
    "find_packs",
    "load_packs",
    "localise",
    "localise_path",
    "project",
]
