"""What comes in: records of log files, the log sources they belong to, and when they happened."""

from converter.events.logs import read_logs
from converter.events.records import SourceReader, log_events, packs_of

__all__ = ["SourceReader", "log_events", "packs_of", "read_logs"]
