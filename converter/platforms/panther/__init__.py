"""Panther: Python detections with their YAML specifications."""

from converter.platforms.panther.platform import PLATFORM, PantherPlatform

__all__ = ["PLATFORM", "PantherPlatform"]
