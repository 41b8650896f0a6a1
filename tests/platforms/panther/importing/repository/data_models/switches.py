# mypy: ignore-errors
def get_who(event):
    return event.deep_get("user", "name")
