# mypy: ignore-errors
# ruff: noqa: RUF012
from pypanther import Rule, Severity


class VaultOpened(Rule):
    id = "Team.Vault.Opened"
    display_name = "Vault opened"
    log_types = ["Custom.Doors"]
    default_severity = Severity.LOW

    def rule(self, event):
        return event.udm("door") == "vault" and event.udm("person") != "keeper"
