"""How fast it is, measured beside the tools that do comparable work, in the same run on the same machine.

``make bench`` runs :mod:`benchmarks.startup`, :mod:`benchmarks.importing`, :mod:`benchmarks.render`,
:mod:`benchmarks.evaluate`, :mod:`benchmarks.check` and :mod:`benchmarks.catalog`.
"""
