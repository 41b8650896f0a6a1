"""Where the public rules and logs are that some tests sweep over; without them those tests are skipped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CORPUS: Final = Path(
    os.environ.get("CONVERTER_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus"
)
