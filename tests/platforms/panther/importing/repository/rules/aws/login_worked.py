# mypy: ignore-errors
from team_helpers import is_word


def rule(event):
    return (
        event.get("eventName") == "ConsoleLogin"
        and event.deep_get("responseElements", "ConsoleLogin") == "Success"
        and not is_word(event)
    )


def title(event):
    arn = event.deep_get("userIdentity", "arn", default="<unknown>")
    return f"{arn} signed in"


def dedup(event):
    return event.deep_get("userIdentity", "arn", default="")


def alert_context(event):
    return {"address": event.get("sourceIPAddress")}
