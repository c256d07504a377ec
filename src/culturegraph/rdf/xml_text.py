"""Text that XML can hold.

Source: XML 1.0 (fifth edition) §2.2 (Char).
"""

from __future__ import annotations

import re
from typing import Final

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml_text(value: str) -> str:
    """Return a text with U+FFFD in the place of each character that XML forbids, so that a loss is seen."""
    return _FORBIDDEN.sub("\ufffd", value)
