"""Events a second that one compiled rule takes, in process."""

from __future__ import annotations

import random

from benchmarks.timing import function, table
from converter.evaluate import compile_expression
from converter.model.load import load_text
from converter.model.rule import JsonObject, Rule

EVENTS = 200_000
SIMPLE = """
id: 00000000-0000-4000-8000-000000000001
title: Sign-in without a second factor
logsource: raw
indicators:
  - {field: eventName, is: ConsoleLogin}
  - {field: additionalEventData.MFAUsed, is: "No"}
exclusions:
  - {field: userIdentity.arn, ends_with: [/breakglass, /ci]}
"""
RICH = """
id: 00000000-0000-4000-8000-000000000002
title: Many predicates of many kinds
logsource: raw
indicators:
  - {field: eventName, is: [ConsoleLogin, AssumeRole, GetSessionToken]}
  - {field: userIdentity.arn, regex: '^arn:aws:iam::\\d{12}:user/'}
  - {field: sourceIPAddress, ip: public}
  - any:
      - {field: "resources[].type", is: bucket}
      - {field: count, gte: 10}
exclusions:
  - {field: userIdentity.arn, like: "*/svc-*"}
"""


def events(count: int) -> list[JsonObject]:
    """CloudTrail-like events; about one in six of them satisfies the first predicate of each rule."""
    chance = random.Random(7)
    names = ["ConsoleLogin", "AssumeRole", "ListBuckets", "GetObject", "PutObject", "DescribeInstances"]
    return [
        {
            "eventName": chance.choice(names),
            "sourceIPAddress": f"{chance.randint(1, 223)}.{chance.randint(0, 255)}.1.1",
            "userIdentity": {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::123456789012:user/u{chance.randint(0, 99)}",
            },
            "additionalEventData": {"MFAUsed": chance.choice(["Yes", "No"])},
            "resources": [{"type": chance.choice(["bucket", "key"])}],
            "count": chance.randint(0, 20),
        }
        for _ in range(count)
    ]


def rate(rule: Rule, log: list[JsonObject]) -> tuple[float, int]:
    """Events a second of processor time, and how many of them match."""
    condition = compile_expression(rule.condition)
    taken = function(lambda: sum(map(condition, log)))
    return len(log) / taken.cpu, sum(map(condition, log))


def main() -> None:
    """Print events a second of a simple rule and of a rich one."""
    log = events(EVENTS)
    rows = []
    for text in (SIMPLE, RICH):
        (rule,) = load_text(text, "benchmark")
        speed, found = rate(rule, log)
        rows.append((rule.title, f"{speed:,.0f} events/s ({found} of {len(log)} match)"))
    table("Evaluating one rule in process", rows)


if __name__ == "__main__":
    main()
