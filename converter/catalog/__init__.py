"""What a whole collection says: an index of its rules, who else looks for a value, coverage, and a site."""
