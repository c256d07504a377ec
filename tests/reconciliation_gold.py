"""Makes the gold set of reconciliation: names as catalogues and lists write them, each with the thing that is meant.

    python tests/reconciliation_gold.py            writes tests/cases/reconciliation/gold.csv

Which thing is meant never comes from comparing names: a row of the tourism inventory has a code that our data cite, a
district an ubigeo, a heading of RAMEAU a link that was judged, a citation of a norm its number. Names are taken as
they stand in those lists, and a part of them is spoiled the way typists, scanners and old catalogues spoil names; the
spoiling knows nothing of how names are matched. Things that are none of ours come from the same lists.

The set was frozen before any matcher was tuned on it. Make it anew only with a reason, in a commit of its own.
"""

from __future__ import annotations

import csv
import os
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("CULTUREGRAPH_SHARED", ROOT.parent / "shared"))
FACTS, FACTS2 = SHARED / "facts", SHARED / "facts2"
GOLD = ROOT / "tests" / "cases" / "reconciliation" / "gold.csv"
BY_HAND = ROOT / "tests" / "cases" / "reconciliation" / "by_hand.csv"


@dataclass(frozen=True)
class Row:
    """A name to look up. `expected` is the IRI below the base, empty where nothing of ours is meant."""

    query: str
    type: str
    place: str
    """The department that the record names, as evidence."""
    expected: str
    spoiled: str
    """How the name was spoiled, empty where it stands as it was found."""
    origin: str


# --- how names are spoiled ---


def without_marks(name: str, _rng: random.Random) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))


def upper(name: str, rng: random.Random) -> str:
    return without_marks(name, rng).upper()


def swapped(name: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(name) - 2) if name[i].isalpha() and name[i + 1].isalpha()]
    if not places:
        return name
    i = rng.choice(places)
    return name[:i] + name[i + 1] + name[i] + name[i + 2 :]


def dropped(name: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(name) - 1) if name[i].isalpha()]
    i = rng.choice(places) if places else 0
    return name[:i] + name[i + 1 :]


def doubled(name: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(name) - 1) if name[i].isalpha()]
    i = rng.choice(places) if places else 0
    return name[:i] + name[i] + name[i:]


def scanned(name: str, rng: random.Random) -> str:
    pairs = [("rn", "m"), ("m", "rn"), ("l", "1"), ("O", "0"), ("o", "0"), ("i", "l"), ("c", "e"), ("h", "b")]
    rng.shuffle(pairs)
    for old, new in pairs:
        if old in name[1:]:
            i = name.index(old, 1)
            return name[:i] + new + name[i + len(old) :]
    return name


def garbled(name: str, _rng: random.Random) -> str:
    return name.encode().decode("cp1252", errors="replace").replace("\N{REPLACEMENT CHARACTER}", "")


def inverted(name: str, _rng: random.Random) -> str:
    words = name.split()
    return f"{' '.join(words[1:])}, {words[0]}" if len(words) > 1 else name


def abbreviated(name: str, _rng: random.Random) -> str:
    for word, short in (
        ("Festividad", "Fest."), ("Fiesta", "Fta."), ("Virgen", "Vgen."), ("Santa", "Sta."), ("Señor", "Sr."),
        ("San ", "S. "), ("Patronal", "Patr."), ("Asociación", "Asoc."), ("Ministerio", "Min."), ("Nacional", "Nac."),
        ("Comunidad", "Com."), ("Danza", "Dza."), ("Dirección", "Dir."),
    ):  # fmt: skip
        if word in name:
            return name.replace(word, short, 1)
    return name


def noted(name: str, rng: random.Random) -> str:
    return name + rng.choice([" (Perú)", " [sic]", ".", " (danza)", " - Perú", " /", " (folclore)"])


def spaced(name: str, rng: random.Random) -> str:
    return f" {name.replace(' ', '  ', 1)}{rng.choice(['', ' ', ','])}"


def respelled(name: str, rng: random.Random) -> str:
    pairs = [("hua", "wa"), ("qu", "k"), ("c", "k"), ("wa", "hua"), ("k", "c"), ("ll", "y"), ("v", "b"), ("z", "s")]
    pairs = [(old, new) for old, new in pairs if old in name[1:]]
    if not pairs:
        return name
    old, new = rng.choice(pairs)
    return name[0] + name[1:].replace(old, new, 1)


SPOILERS: list[Callable[[str, random.Random], str]] = [
    without_marks, upper, swapped, dropped, doubled, scanned, garbled, inverted, abbreviated, noted, spaced, respelled,
]  # fmt: skip


def spoil(name: str, rng: random.Random, times: int) -> tuple[str, str]:
    """Return the spoiled name and what was done to it."""
    done = []
    for spoiler in rng.sample(SPOILERS, k=len(SPOILERS)):
        if len(done) == times:
            break
        worse = spoiler(name, rng)
        if worse != name:
            name = worse
            done.append(spoiler.__name__)
    return name, " ".join(done)


# --- what is looked up ---


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def data(name: str) -> list[dict[str, str]]:
    return table(ROOT / "data" / f"{name}.csv")


def label(row: dict[str, str]) -> str:
    return row.get("label_es") or row.get("label_es_editorial") or row["label_en"] or row["label_en_editorial"]


def folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


def own_names() -> set[str]:
    """Every name that our tables hold, to keep a thing of the same name from being called none of ours."""
    found = set()
    for path in sorted((ROOT / "data").glob("*.csv")):
        for row in table(path):
            found.update(folded(row[key]) for key in row if key.startswith(("label", "name")) and row[key])
    return found


def inventory() -> dict[str, dict[str, str]]:
    rows = table(FACTS / "raw" / "mincetur_inventario_recursos_turisticos.csv", ";")
    return {row["CODIGO DEL RECURSO"]: row for row in rows}


def expressions(rng: random.Random) -> Iterator[Row]:
    """Entries of the tourism inventory, known by their code; a name that two of them share names no one alone."""
    entries = inventory()
    ours = [row for row in data("expressions") if row["mincetur_code"] in entries]
    shared: Counter[tuple[str, str]] = Counter()
    for row in data("expressions"):
        entry = entries.get(row["mincetur_code"])
        names = {folded(label(row)), *([folded(entry["NOMBRE DEL RECURSO"])] if entry else [])}
        shared.update((name, entry["REGIÓN"] if entry else "") for name in names)
    anywhere: Counter[str] = Counter()
    for (name, _), count in shared.items():
        anywhere[name] += count
    unlike = [r for r in ours if folded(label(r)) != folded(entries[r["mincetur_code"]]["NOMBRE DEL RECURSO"])]
    alike = [r for r in ours if r not in unlike]
    for row in [*unlike, *rng.sample(alike, 90)]:
        entry = entries[row["mincetur_code"]]
        name, region = entry["NOMBRE DEL RECURSO"], entry["REGIÓN"]
        alone = shared[(folded(name), region)] == 1
        spoiled, how = (name, "") if row in unlike else spoil(name, rng, rng.choice((1, 1, 2)))
        yield Row(
            spoiled,
            "Expression",
            region,
            f"id/expression/{row['id']}" if alone else "",
            how if alone else "homonym",
            f"tourism inventory {row['mincetur_code']}",
        )
    homonyms = [r for r in alike if anywhere[folded(entries[r["mincetur_code"]]["NOMBRE DEL RECURSO"])] > 1]
    for row in rng.sample(homonyms, min(15, len(homonyms))):
        entry = entries[row["mincetur_code"]]
        origin = f"tourism inventory {row['mincetur_code']}"
        yield Row(entry["NOMBRE DEL RECURSO"], "Expression", "", "", "homonym", origin)


def other_resources(rng: random.Random, own: set[str]) -> Iterator[Row]:
    """Sights of the inventory that are no expressions, and places too small for us to hold."""
    others = [r for r in inventory().values() if r["CATEGORÍA"][0] in "124"]
    others = [r for r in others if folded(r["NOMBRE DEL RECURSO"]) not in own]
    for entry in rng.sample(others, 100):
        name, how = spoil(entry["NOMBRE DEL RECURSO"], rng, rng.choice((0, 0, 1)))
        origin = f"tourism inventory {entry['CODIGO DEL RECURSO']}"
        yield Row(name, rng.choice(["", "Expression"]), entry["REGIÓN"], "", how, origin)
    hamlets = table(FACTS / "raw" / "inei_centros_poblados_94922.csv")
    hamlets = [r for r in rng.sample(hamlets, 2000) if folded(r["ccpp"]) not in own and len(r["ccpp"]) > 5]
    for entry in hamlets[:40]:
        yield Row(entry["ccpp"], "Place", entry["departamento"], "", "", f"populated places {entry['inei_ccpp']}")


def districts(rng: random.Random) -> Iterator[Row]:
    """Districts in capitals and without accents, as the statistical office lists them, known by their code."""
    entries = {r["inei_distrito"]: r for r in table(FACTS / "raw" / "inei_centros_poblados_94922.csv")}
    ours = {row["ubigeo_inei"]: row["id"] for row in data("places") if row["type"] == "District"}
    known = [code for code in sorted(entries) if code in ours]
    alone: Counter[tuple[str, str]] = Counter((entries[c]["distrito"], entries[c]["departamento"]) for c in known)
    for places in (Counter(), alone):
        for row in data("places"):
            if row["type"] != "District":
                places[(label(row).upper(), "")] += 1
    for code in rng.sample(known, 50):
        entry = entries[code]
        single = alone[(entry["distrito"], entry["departamento"])] == 1
        name, how = spoil(entry["distrito"].title(), rng, 1) if rng.random() < 0.5 else (entry["distrito"], "")
        expected = f"id/place/{ours[code]}" if single else ""
        yield Row(name, "District", entry["departamento"].title(), expected, how, f"populated places, district {code}")


def peoples(rng: random.Random) -> Iterator[Row]:
    """Headings of RAMEAU that were judged to be the same people, and those of peoples elsewhere."""
    groups = table(FACTS2 / "links_rameau_peru_groups.csv")
    exact: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        names = [group["rameau_pref_label"], *group["alt_labels_fr"].split("|")]
        ids = re.findall(r"pueblo-([\w-]+):exact", group["our_people_ids"])
        if len(ids) == 1:
            exact[ids[0]] += [name for name in names if name]
        elif not group["our_people_ids"]:
            for name in [name for name in names if name][:2]:
                yield Row(name, "IndigenousPeople", "", "", "", f"RAMEAU {group['bnf_ark']}")
    ours = {row["id"] for row in data("peoples")}
    for people in sorted(exact):
        if people in ours:
            for name in rng.sample(exact[people], min(2, len(exact[people]))):
                same = folded(name).removesuffix(" indiens").rstrip("s") in {"piro", "nahua"}
                expected = "" if same else f"id/people/{people}"
                how = "homonym" if same else ""
                yield Row(name, "IndigenousPeople", "", expected, how, "RAMEAU, heading or variant")


CITED = ("Ley N° {0}", "Ley {0}", "LEY No {0}", "Perú. Ley {0}", "Ley Nro. {0}")
CITED_RVM = ("Resolución Viceministerial N° {0}", "RVM {0}", "R.V.M. Nº {0}", "RVM N.° {0}", "Res. Vicem. {0}")
CITED_RD = ("Resolución Directoral Nacional N° {0}", "RDN {0}", "R.D.N. Nº {0}", "RD N° {0}")
CITED_DS = ("Decreto Supremo N° {0}", "D.S. {0}", "DS Nº {0}", "D. S. No. {0}")
CITATIONS = {
    "law": CITED,
    "vice-ministerial-resolution": CITED_RVM,
    "directorial-resolution": CITED_RD,
    "supreme-decree": CITED_DS,
}


def norms(rng: random.Random) -> Iterator[Row]:
    """Norms as they are cited, known by their number."""
    rows = [row for row in data("norms") if row["number"] and row["norm_type"] in CITATIONS]
    for row in rng.sample(rows, 50):
        cited = rng.choice(CITATIONS[row["norm_type"]]).format(row["number"])
        yield Row(cited, "Norm", "", f"id/norm/{row['id']}", "cited", f"norm {row['number']}")
    numbers = {row["number"] for row in rows}
    for number in ("31414", "27050", "28086", "29230", "26842"):
        if number not in numbers:
            yield Row(f"Ley N° {number}", "Norm", "", "", "cited", "a number that no norm of ours has")


def named_things(rng: random.Random) -> Iterator[Row]:
    """People, groups, institutions, works: our own names, spoiled."""
    for name, kind, segment, count in (
        ("persons", "Person", "person", 45),
        ("institutions", "Institution", "institution", 35),
        ("groups", "Group", "group", 15),
        ("puntos", "Group", "punto", 15),
        ("works", "Work", "work", 30),
        ("languages", "Language", "language", 25),
        ("peoples", "IndigenousPeople", "people", 25),
        ("programmes", "Programme", "programme", 12),
    ):
        rows = data(name)
        labels = Counter(folded(label(row)) for row in rows)
        rows = [row for row in rows if labels[folded(label(row))] == 1]
        for row in rng.sample(rows, min(count, len(rows))):
            spoiled, how = spoil(label(row), rng, rng.choice((1, 1, 2)))
            if name == "persons" and rng.random() < 0.5:
                words = label(row).split()
                turned = f"{' '.join(words[-2:])}, {' '.join(words[:-2])}" if len(words) > 3 else label(row)
                spoiled, how = f"{turned}.", "surname first"
            yield Row(spoiled, kind, "", f"id/{segment}/{row['id']}", how, f"{name}.csv")


def by_hand() -> Iterator[Row]:
    """Names chosen by hand: homonyms that must never be matched on their own, headings of corporate bodies."""
    yield from (Row(**row) for row in table(BY_HAND))


def make() -> list[Row]:
    """Return all rows, in a fixed order."""
    rng = random.Random(20261123)
    own = own_names()
    rows = [
        *by_hand(), *expressions(rng), *other_resources(rng, own), *districts(rng), *peoples(rng), *norms(rng),
        *named_things(rng),
    ]  # fmt: skip
    return list({(row.query, row.type, row.place): row for row in rows}.values())


def main() -> None:
    with GOLD.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(map(astuple, make()))


if __name__ == "__main__":
    main()
