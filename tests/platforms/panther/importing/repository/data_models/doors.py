# mypy: ignore-errors
# ruff: noqa: RUF012
from pypanther import DataModel, FieldMapping


def opened_by(event):
    return event.deep_get("opener", "badge")


class Doors(DataModel):
    id = "Team.Doors"
    display_name = "Doors of the building"
    enabled = True
    log_types = ["Custom.Doors"]
    mappings = [
        FieldMapping(name="door", path="place.door"),
        FieldMapping(name="person", method=opened_by),
    ]
