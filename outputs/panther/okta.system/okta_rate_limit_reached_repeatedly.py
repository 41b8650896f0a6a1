def rule(event):
    return (
        str(event.deep_get("eventType", default="")).startswith(("system.org.rate_limit.", "system.operation.rate_limit."))
        and str(event.deep_get("eventType", default="")).endswith(".violation")
    )


def title(event):
    return "Okta's rate limits are being reached"


def alert_context(event):
    return {
        "eventType": event.get("eventType"),
        "actor.alternateId": event.deep_get("actor", "alternateId"),
        "client.ipAddress": event.deep_get("client", "ipAddress"),
        "debugContext.debugData.url": event.deep_get("debugContext", "debugData", "url"),
    }
