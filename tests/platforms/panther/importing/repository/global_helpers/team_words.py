# mypy: ignore-errors
WORDS = ("open", "shut")
