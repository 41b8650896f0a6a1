"""The dialects of EQL, as data: Elasticsearch's, and the older one of the Python package ``eql``.

Sources: Elastic, "EQL syntax reference" and "EQL function reference"; eql.readthedocs.io, "Query guide"
(basic syntax, sequences, joins, pipes, functions). Where the older guide says nothing, this reading takes

- null: a comparison or a function of a missing field is null, ``not`` of null is null, ``and`` and ``or`` are
  SQL's, and only true selects an event; ``== null`` and ``!= null`` are never null themselves;
- numbers: whole where they are divided; lists: asked through ``arrayContains`` and ``arraySearch`` or by an
  index, so that ``length`` counts characters;
- ``match``: anchored at the start of the text and not at its end;
- ``indexOf``: null where nothing is found; ``between``: other than any text there;
- ``join``: the first event of each term, begun anew when it is complete.
"""

from __future__ import annotations

from typing import Final

import msgspec

from converter.platforms.elastic.eql.settings import CATEGORY_FIELD


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one dialect does otherwise than the other.

    - ``older_syntax``: ``=`` for ``==``, texts in single quotes and ``?"raw"`` ones, ``join``, ``child of``,
      methods, expressions as join keys;
    - ``ignore_case``: ``==``, ``in`` and functions compare in lower case;
    - ``wildcards``: signs that stand for other text in what ``==`` and ``!=`` compare with;
    - ``ternary``: a comparison with a missing field is null, not false;
    - ``compares_fields``: two fields may be compared;
    - ``whole_numbers``: a field that is divided holds whole numbers, one to an event;
    - ``nested``: a name's parts are keys of objects in one another, not one stored name;
    - ``prefix_match``: what ``match`` looks for need not reach the end of the text;
    - ``category``: the field that the word before ``where`` asks about.
    """

    name: str
    older_syntax: bool = False
    ignore_case: bool = False
    wildcards: str = ""
    ternary: bool = False
    compares_fields: bool = False
    whole_numbers: bool = False
    nested: bool = False
    prefix_match: bool = False
    category: str = CATEGORY_FIELD


ELASTICSEARCH: Final = Dialect(name="EQL of Elasticsearch")

OLDER: Final = Dialect(
    name="EQL of the Python package",
    older_syntax=True,
    ignore_case=True,
    wildcards="*",
    ternary=True,
    compares_fields=True,
    whole_numbers=True,
    nested=True,
    prefix_match=True,
    category="event_type",
)

OLDER_WITH_CASE: Final = msgspec.structs.replace(
    OLDER, name="EQL of the Python package, with case", ignore_case=False
)
