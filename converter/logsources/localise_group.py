"""A threshold's tests of the group, and the choices among its keys, in a platform's own field names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from converter.logsources.localise import localise, localise_path
from converter.logsources.pack import Pack, PlatformField
from converter.model.diagnostics import Diagnostic
from converter.model.expressions import Expression, Operator, Predicate, all_of
from converter.model.measures import GroupCondition, renamed
from converter.model.paths import FieldPath
from converter.model.rule import Alternative


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


class LocalisedAlternative(msgspec.Struct, frozen=True):
    """An alternative of a choice in stored names, its conditions as one; ``fields`` as above.

    None where its value is stored under no one name. A diagnostic with an effect says that it is another
    value there, or one of other events.
    """

    alternative: Alternative | None
    fields: Mapping[FieldPath, PlatformField]
    diagnostics: tuple[Diagnostic, ...] = ()


def localise_alternative(
    each: Alternative, packs: Sequence[Pack], platform: str, keep_unmapped: bool = False
) -> LocalisedAlternative:
    """The alternative in the names of ``platform``, for events of any of ``packs``.

    Its value is what a pattern that takes any text would be asked of.
    """
    taken = Predicate(each.subject, Operator.LIKE, ("*",), functions=each.functions)
    asked = localise(all_of(*each.when), packs, platform, keep_unmapped)
    stored = localise(taken, packs, platform, keep_unmapped)
    found = stored.expression
    alternative = None
    if isinstance(found, Predicate):
        when = (asked.expression,) if each.when else ()
        alternative = Alternative(subject=found.subject, functions=found.functions, when=when)
    return LocalisedAlternative(
        alternative, {**asked.fields, **stored.fields}, (*asked.diagnostics, *stored.diagnostics)
    )
