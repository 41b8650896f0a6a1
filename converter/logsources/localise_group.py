"""A threshold's tests of the group in a platform's own field names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from converter.logsources.localise import localise, localise_path
from converter.logsources.pack import Pack, PlatformField
from converter.model.diagnostics import Diagnostic
from converter.model.expressions import Expression
from converter.model.measures import GroupCondition, renamed
from converter.model.paths import FieldPath


class LocalisedTests(msgspec.Struct, frozen=True):
    """Tests in stored names; ``fields`` describes each stored path in them.

    A diagnostic with an effect says that some measure is not of the same matches or values there. In which
    direction the rule then errs depends on the test, so such tests are better not written.
    """

    tests: tuple[GroupCondition, ...]
    fields: Mapping[FieldPath, PlatformField]
    diagnostics: tuple[Diagnostic, ...] = ()


def localise_tests(
    tests: tuple[GroupCondition, ...], packs: Sequence[Pack], platform: str, keep_unmapped: bool = False
) -> LocalisedTests:
    """The tests in the names of ``platform``, for events of any of ``packs``."""
    fields: dict[FieldPath, PlatformField] = {}
    found: list[Diagnostic] = []

    def path(one: FieldPath) -> FieldPath:
        stored = localise_path(one, packs, platform, keep_unmapped)
        fields[stored.path] = stored.field
        found.extend(stored.diagnostics)
        return stored.path

    def expression(one: Expression) -> Expression:
        stored = localise(one, packs, platform, keep_unmapped)
        fields.update(stored.fields)
        found.extend(stored.diagnostics)
        return stored.expression

    changed = tuple(renamed(test, path, expression) for test in tests)
    return LocalisedTests(changed, fields, tuple(found))
