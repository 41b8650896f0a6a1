# mypy: ignore-errors
# ruff: noqa: RUF012
from pypanther import LogType, Rule, RuleTest, Severity

BUCKETS = ["team-secrets", "team-backups"]


class BucketRead(Rule):
    id = "Team.Bucket.Read"
    display_name = "Bucket read"
    log_types = [LogType.AWS_CLOUDTRAIL]
    default_severity = Severity.MEDIUM
    default_description = "Somebody reads a bucket that nobody should."
    reports = {"MITRE ATT&CK": ["TA0009:T1530"]}
    tags = ["AWS"]
    names = ("GetObject", "CopyObject")
    tests = [
        RuleTest(
            name="read",
            expected_result=True,
            log={"eventName": "GetObject", "requestParameters": {"bucketName": "team-secrets"}},
        ),
        RuleTest(name="listed", expected_result=False, log={"eventName": "ListBuckets"}),
    ]

    def rule(self, event):
        return (
            event.get("eventName") in self.names
            and event.deep_get("requestParameters", "bucketName") in BUCKETS
        )

    def severity(self, event):
        return "HIGH"


class BucketEmptied(BucketRead):
    id = "Team.Bucket.Emptied"
    display_name = "Bucket emptied"
    enabled = False
    threshold = 20
    dedup_period_minutes = 10
    names = ("DeleteObject", "DeleteObjects")
    tests = []

    def dedup(self, event):
        return event.deep_get("requestParameters", "bucketName", default="")
