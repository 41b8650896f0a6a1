"""How fast it is, measured beside the tools that do comparable work, in the same run on the same machine.

``make bench`` runs :mod:`benchmarks.startup`, :mod:`benchmarks.importing`, :mod:`benchmarks.render` and
:mod:`benchmarks.evaluate`.
"""
