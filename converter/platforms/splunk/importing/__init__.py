"""Splunk's own rules read in: contentctl detections and saved searches to canonical rules."""
