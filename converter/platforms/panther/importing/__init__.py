"""Reading Panther's detections: YAML with Python beside it, match expressions, correlations, classes."""
