"""Sigma's other backends as platforms of their own: ``--to sigma:splunk`` and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity, RuleError, fidelity_of
from converter.model.rule import JsonObject, Rule
from converter.platforms.base import Artifact, Context, Engine, File, StoredEvent
from converter.platforms.sigma.backend import backend_names, to_backend
from converter.platforms.sigma.codes import LOSSES


class SigmaBackend:
    """A pySigma backend behind our Sigma writer. What it writes is not read back, and every result says so.

    ``pipelines`` in the platform's settings (``[platforms."sigma:NAME"]``) are pySigma's processing
    pipelines, by name. Raises RuleError for a backend that is not installed.
    """

    losses: Mapping[str, str] = LOSSES
    siem: bool = False

    def __init__(self, backend: str, render: Callable[[Rule, Context], Artifact]) -> None:
        if backend not in backend_names():
            known = ", ".join(backend_names()) or "none (install a pysigma-backend-… package)"
            raise RuleError(f"no pySigma backend is named {backend!r}; installed: {known}")
        self.name = f"sigma:{backend}"
        self._backend = backend
        self._render = render

    def render(self, rule: Rule, context: Context) -> Artifact:
        """The backend's queries for the rule, one after the other in a text file."""
        pipelines = context.settings.get("pipelines", ())
        artifact = self._render(rule, msgspec.structs.replace(context, settings={}))
        if artifact.fidelity is Fidelity.REFUSED:
            return msgspec.structs.replace(artifact, platform=self.name)
        names = [name for name in pipelines if isinstance(name, str)] if isinstance(pipelines, list) else []
        converted = to_backend(artifact.files[0].text, self._backend, names)
        diagnostics = (*artifact.diagnostics, *converted.diagnostics)
        text = "".join(f"{query}\n" for query in converted.queries)
        stem = artifact.files[0].path.rpartition(".")[0]
        return Artifact(
            rule_id=rule.id,
            platform=self.name,
            files=() if converted.refused else (File(f"{stem}.txt", text),),
            fidelity=fidelity_of(diagnostics),
            diagnostics=diagnostics,
            language=self._backend,
            reason="by way of Sigma, as pySigma's backend writes it",
            query=text,
        )

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """Refused: there is no reader for what other backends write."""
        raise RuleError(f"what the pySigma backend {self._backend} writes cannot be read back here")

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """The event as it is: how the backend's platform stores it is not known here."""
        return event

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """None."""
        return ()
