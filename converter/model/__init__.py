"""What a rule is. Imports nothing of the house."""
