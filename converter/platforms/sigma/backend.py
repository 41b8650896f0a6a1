"""Through Sigma to any other platform that pySigma has a backend for: ``--to sigma:splunk`` and so on.

Which backends there are depends on what is installed beside pySigma (``pip install pysigma-backend-NAME``).
What they write is theirs: it is not read back and not checked here, and every result says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.platforms.sigma.documents import NAME


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend made of a Sigma text: a query for each rule, or none and the reason why.

    Nothing here says that a query is exact; a diagnostic with an effect says in what it certainly is not.
    """

    backend: str
    queries: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether there is no query."""
        return any(diagnostic.effect is Fidelity.REFUSED for diagnostic in self.diagnostics)


@cache
def _installed() -> Any:
    from sigma.plugins import InstalledSigmaPlugins

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return InstalledSigmaPlugins.autodiscover(include_validators=False)


def backend_names() -> tuple[str, ...]:
    """The backends that are installed, sorted."""
    return tuple(sorted(_installed().backends))


def pipeline_names() -> tuple[str, ...]:
    """The processing pipelines (field names, indexes) that are installed, sorted."""
    return tuple(sorted(_installed().pipelines))


def to_backend(sigma_text: str, backend_name: str, pipelines: Iterable[str] = ()) -> Converted:
    """A Sigma text in the language of a backend, its fields renamed by the pipelines, in their order.

    What the backend refuses, or makes no query of (Splunk's of two regular expressions), is a refused result.
    Raises RuleError for a name that is not installed.
    """
    installed = _installed()
    chosen = tuple(pipelines)
    _check("backend", backend_name, installed.backends)
    for name in chosen:
        _check("pipeline", name, installed.pipelines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            queries = _convert(sigma_text, installed.backends[backend_name], _resolved(installed, chosen))
    except Exception as error:  # whatever a third party's backend raises is its way of refusing
        return _refused(backend_name, error)
    if not queries:
        return _refused(backend_name, ValueError("the backend makes no query of it"))
    notes = [_finding(backend_name, Severity.NOTE, "not-checked", _NOT_CHECKED)]
    if not chosen:
        notes.append(
            _finding(backend_name, Severity.WARNING, "logsource", _NO_PIPELINE, _hint(), Fidelity.WIDER)
        )
    return Converted(backend=backend_name, queries=queries, diagnostics=tuple(notes))


_NOT_CHECKED = "converted by a pySigma backend; the query was not read back"
_NO_PIPELINE = (
    "no pipeline was chosen: the fields keep Sigma's names, and the query does not ask for the log source"
)


def _hint() -> str | None:
    names = ", ".join(pipeline_names())
    return f"installed pipelines: {names}" if names else None


def _resolved(installed: Any, pipelines: tuple[str, ...]) -> Any:
    return installed.get_pipeline_resolver().resolve(list(pipelines)) if pipelines else None


def _convert(text: str, backend: Callable[..., Any], pipeline: Any) -> tuple[str, ...]:
    from sigma.collection import SigmaCollection

    result = backend(processing_pipeline=pipeline).convert(SigmaCollection.from_yaml(text))
    queries = result if isinstance(result, list) else [result]
    return tuple(query if isinstance(query, str) else str(query) for query in queries)


def _check(kind: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise RuleError(f"no pySigma {kind} is named {name!r}; installed: {names}")


def _refused(backend: str, error: Exception) -> Converted:
    message = str(error) or type(error).__name__
    finding = _finding(backend, Severity.ERROR, "backend", message, effect=Fidelity.REFUSED)
    return Converted(backend=backend, diagnostics=(finding,))


def _finding(
    backend: str,
    severity: Severity,
    code: str,
    message: str,
    hint: str | None = None,
    effect: Fidelity | None = None,
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=severity,
        message=message,
        hint=hint,
        platform=f"{NAME}:{backend}",
        effect=effect,
    )
