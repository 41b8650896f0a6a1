"""A small catalog, built once: the project's own rules, two of Sigma's kind, and one that means harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.catalog.prepare import Workshop, listed, prepare
from converter.catalog.site.build import write_site
from converter.catalog.site.pages import Catalog
from converter.catalog.sources import Found, Origin, canonical, imported
from converter.logsources import load_packs
from converter.model.load import load_rules
from converter.platforms.base import File
from converter.platforms.collection import Reading

ROOT = Path(__file__).resolve().parents[2]
HOSTILE_TITLE = "\"'><script>document.body.dataset.harmed = 'title'</script>"

SIGMA = """\
title: {title}
id: 0d5f7b7e-0000-4000-8000-0000000001{number:02}
status: test
logsource: {{product: windows, category: process_creation}}
detection:
  selection:
    Image|endswith: '\\{program}'
    CommandLine|contains: {word}
  filter: {{ParentImage|endswith: '\\explorer.exe'}}
  condition: selection and not filter
falsepositives: [Administrators at work.]
level: high
tags: [attack.execution, attack.t1059.001]
"""


def harm(place: str) -> str:
    """A text that runs a script wherever it is taken for markup, an attribute or code."""
    return (
        f"'\"><script>document.body.dataset.harmed = '{place}'</script>"
        f"<img src=x onerror=\"document.body.dataset.harmed='{place}'\">"
        f"</pre></script>{{{{ 7 * 7 }}}}<!-- \u202e {place}"
    )


def hostile_rule() -> str:
    """A rule file with such a text in every place that takes one."""
    data: dict[str, Any] = {
        "id": "0d5f7b7e-0000-4000-8000-000000000066",
        "title": HOSTILE_TITLE,
        "description": harm("description") + "\n\n" + harm("second line"),
        "severity": "high",
        "logsource": "raw",
        "indicators": [
            {"field": f'a."{_quoted(harm("field"))}"', "is": [harm("value"), harm("other")]},
            {
                "any": [
                    {"field": "b", "regex": "<script>alert\\(1\\)</script>"},
                    {"field": "c", "is": harm("part")},
                ]
            },
            {"concat": [{"field": "d"}, harm("literal")], "contains": harm("joined")},
        ],
        "exclusions": [{"all": [{"field": "b", "is": harm("excluded")}, {"field": "c", "exists": True}]}],
        "attack": ["TA0002:T1059.001"],
        "output": [{"field": "b", "as": harm("alias").replace("{{ 7 * 7 }}", "")}],
        "alert": {"title": harm("alert").replace("{{", "{{{{").replace("}}", "}}}}")},
        "false_positives": [harm("false positive"), "Administrators at work"],
        "references": [
            "javascript:document.body.dataset.harmed='reference'",
            f"https://example.org/{harm('link')}",
        ],
        "runbook": harm("runbook"),
        "author": harm("author"),
        "tags": [harm("tag")],
        "platforms": {"splunk": {"type": harm("type")}},
        "tests": [{"name": harm("test"), "expect": "match", "event": {"b": harm("event")}}],
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def found(folder: Path) -> Iterator[Found]:
    """The rules of the collection; the Sigma files are written into the folder."""
    yield from canonical(load_rules([ROOT / "canonical_rules"]))
    hostile = folder / "hostile.yaml"
    hostile.write_text(hostile_rule(), encoding="utf-8")
    yield from canonical(load_rules([hostile]))
    sigma = folder / "sigma"
    sigma.mkdir(parents=True, exist_ok=True)
    for number, program in enumerate(("powershell.exe", "pwsh.exe", "PowerShell.exe")):
        text = SIGMA.format(title=f"Sigma {number}", number=number, program=program, word=f"word{number}")
        (sigma / f"{number}.yml").write_text(text)
    (sigma / "broken.yml").write_text("title: Broken <b>rule</b>\ndetection: [nothing\n")
    yield from imported([Origin(reading=Reading(platform="sigma"), paths=(sigma,))])


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The collection, indexed and rendered."""
    workshop = Workshop()
    return Catalog(prepare(listed(found(tmp_path_factory.mktemp("rules")), workshop), workshop))


@pytest.fixture(scope="session")
def site(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as a site."""
    folder = tmp_path_factory.mktemp("site")
    layers = [File(f"layers/{name}.json", "{}") for name in ("all", "canonical", "sigma")]
    write_site(catalog, load_packs(), folder, extra=layers)
    return folder
