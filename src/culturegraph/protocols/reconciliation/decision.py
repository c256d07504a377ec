"""What is safe to match without a person who looks: one rule, kept apart from how candidates are found.

A candidate is matched where its name is the one that was written, or so close that only a slip parts them; where
nothing that was given speaks against it; and where no other thing could as well be meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from culturegraph.linking.comparison import Written
from culturegraph.store.name_index import LENT

if TYPE_CHECKING:
    from culturegraph.protocols.reconciliation.matching import Candidate

# Likeness from which on a name is the one that was written, by how many letters it has: the fewer, the more a letter
# weighs. Shorter ones only where the type or a value agrees, and nothing else comes near.
_CLOSE: Final = ((12, 0.86), (9, 0.87))
_ONE_SLIP: Final = ((6, 0.82), (5, 0.79))
_WHOLE: Final = 0.82
_UNEVEN: Final = 0.1
# Another thing whose score is this near could as well be meant; points of the score.
_MARGIN: Final = 8.0
_MARGIN_OF_SLIP: Final = 12.0
# … and so could one whose name has all that was written, and more.
_CONTAINED: Final = 0.97
# A name of so many words is nobody else's beginning.
_MANY_WORDS: Final = 4


def decide(candidates: Sequence[Candidate], written: Written, is_dense: bool) -> list[Candidate]:
    """Mark the first candidate as a match where that is safe; return all.

    `is_dense`: the first is of a kind whose names differ by a letter (places), so that a slip cannot be told from
    another name.
    """
    found = list(candidates)
    if found and is_safe(found[0], found[1:], written, is_dense):
        found[0] = replace(found[0], match=True)
    return found


def is_safe(best: Candidate, others: Sequence[Candidate], written: Written, is_dense: bool) -> bool:
    """Say whether the best candidate may be matched by itself."""
    if best.is_contradicted or best.kind == LENT:
        return False
    if best.by_identifier:
        return not others
    if best.kind == "hidden" and any(has_as_part(other) for other in others):
        # An outdated name was often one of several peoples.
        return False
    rivals = [other for other in others if not other.is_contradicted]
    if not (best.is_exact or is_close(best, written) or (not is_dense and is_one_slip(best, rivals, written))):
        return False
    return not any(could_be_meant(other, best, written) for other in rivals)


def is_close(candidate: Candidate, written: Written) -> bool:
    """Say whether a longer name is the one that was written, but for a slip."""
    letters = len(written.letters)
    if min(candidate.fit.written, candidate.fit.held) < _WHOLE:
        # A word is missing: that is no slip.
        return False
    return any(letters >= length and candidate.fit.likeness >= least for length, least in _CLOSE)


def is_one_slip(candidate: Candidate, rivals: Sequence[Candidate], written: Written) -> bool:
    """Say whether one slip parts a short name from what was written, with a type or value that agrees, and alone."""
    if not candidate.type_agrees and True not in candidate.values.values():
        return False
    letters = len(written.letters)
    if any(other.score >= candidate.score - _MARGIN_OF_SLIP for other in rivals):
        return False
    if abs(candidate.fit.written - candidate.fit.held) > _UNEVEN:
        return False
    return any(letters >= length and candidate.fit.likeness >= least for length, least in _ONE_SLIP)


def could_be_meant(other: Candidate, best: Candidate, written: Written) -> bool:
    """Say whether somebody may have meant another thing that nothing speaks against."""
    has_more = (True in best.values.values() and True not in other.values.values()) or (
        best.note_agrees and not other.note_agrees
    )
    if other.score >= best.score - (_MARGIN / 4 if has_more else _MARGIN):
        return True
    if other.fit.written < _CONTAINED or has_more:
        return False
    # Who writes the whole of a name, and where it is, does not mean a longer one.
    if best.is_exact and (len(written.folded) >= _MANY_WORDS or True in best.values.values()):
        return False
    return other.kind in ("preferred", "alternative")


def has_as_part(other: Candidate) -> bool:
    """Say whether the name of a thing has all that was written, and more."""
    return other.kind == "preferred" and other.fit.written >= _CONTAINED and not other.is_exact
