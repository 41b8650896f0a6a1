"""The catalog as a folder of static pages that work from a file system, offline."""
