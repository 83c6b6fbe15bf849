#!/usr/bin/env python3
"""Workbooks made by openpyxl, read by it and by Sealbook: the same cells.

    workbook_differential.py PRINT_TABLE [FIRST_SEED [COUNT]]

PRINT_TABLE is the program of print_table.cc. Ends with 77 where openpyxl is missing.
"""

import datetime
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile

try:
    import openpyxl
except ImportError:
    # Debian's package belongs to Debian's own interpreter.
    system = "/usr/bin/python3"
    if os.path.exists(system) and "SEALBOOK_TRIED_SYSTEM_PYTHON" not in os.environ:
        os.environ["SEALBOOK_TRIED_SYSTEM_PYTHON"] = "1"
        os.execv(system, [system] + sys.argv)
    print("skipped: needs python3-openpyxl")
    sys.exit(77)

from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.cell import WriteOnlyCell

COLUMNS = 8
LETTERS = "abc XYZ019.,;'\"<>&/-_\t\n가을봄김秋子田中ÄñçéЖ😀👩‍🔬\u00a0\u200b"


def text(rng):
    out = "".join(rng.choice(LETTERS) for _ in range(rng.choice([1, 2, 5, 20, 200])))
    # What begins so is a formula or an error to openpyxl; nothing but blanks it may leave out.
    return "t" + out


def moment(rng):
    day = datetime.datetime(1905, 1, 1) + datetime.timedelta(days=rng.randrange(60_000))
    return day + datetime.timedelta(seconds=rng.choice([0, rng.randrange(86_400)]))


def value(rng):
    kind = rng.randrange(12)
    if kind < 4:
        return text(rng)
    if kind == 4:
        return rng.randrange(10**rng.randrange(1, 15))
    if kind == 5:
        return rng.choice([rng.random(), -rng.random() * 1e9, rng.random() * 1e-12, 1e20])
    if kind == 6:
        return rng.random() < 0.5
    if kind == 7:
        return moment(rng)
    if kind == 8:
        return moment(rng).date()
    if kind == 9:
        return moment(rng).time().replace(hour=rng.randrange(1, 24))
    if kind == 10:
        return rng.choice(["#N/A", "#REF!", "#DIV/0!"])
    return None


def make(seed, path):
    rng = random.Random(seed)
    inline = rng.random() < 0.5
    book = openpyxl.Workbook(write_only=inline)
    sheet = book.create_sheet() if inline else book.active
    if rng.random() < 0.5:
        book.epoch = CALENDAR_MAC_1904
    sheet.append(["column %d" % i for i in range(COLUMNS)])
    for _ in range(rng.choice([1, 30, 400])):
        row = [value(rng) for _ in range(rng.randrange(COLUMNS + 1))]
        if inline and row and isinstance(row[-1], int) and not isinstance(row[-1], bool):
            cell = WriteOnlyCell(sheet, row[-1])
            cell.number_format = rng.choice(["0.00E+00", "[Red]#,##0", "000-0000-0000", "@"])
            row[-1] = cell
        sheet.append(row)
    book.save(path)
    if rng.random() < 0.5:
        share_strings(path)


class Pipe:
    """A file that goes forwards alone."""

    def __init__(self, file):
        self.write = file.write
        self.flush = file.flush


def share_strings(path):
    """Puts the texts where Excel has them; openpyxl writes them into their cells."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name).decode() for name in old.namelist()}
    numbers = {}

    def share(match):
        number = numbers.setdefault(match.group(2), len(numbers))
        return '<c%s t="s"><v>%d</v></c>' % (match.group(1), number)

    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet], count = re.subn(r'<c([^>]*) t="inlineStr"><is>(.*?)</is></c>', share,
                                  parts[sheet], flags=re.DOTALL)
    if count == 0 or "xl/sharedStrings.xml" in parts:
        sys.exit("openpyxl writes texts otherwise than it did")
    parts["xl/sharedStrings.xml"] = \
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' \
        % "".join("<si>%s</si>" % text for text in numbers)
    kind = "officeDocument/2006/relationships/sharedStrings"
    links = "xl/_rels/workbook.xml.rels"
    parts[links] = parts[links].replace(
        "</Relationships>", '<Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/%s" '
        'Target="sharedStrings.xml"/></Relationships>' % kind)
    types = "[Content_Types].xml"
    parts[types] = parts[types].replace(
        "</Types>", '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.'
        'openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>')
    # As programs write it that know no entry's size before its end.
    with open(path, "wb") as file, zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in parts.items():
            new.writestr(name, text)


def written(cell):
    """What Sealbook has for a cell of openpyxl; numbers stay numbers."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        value = (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat(timespec="seconds") if isinstance(value, datetime.time) \
            else value.isoformat()
    return value


def same(ours, theirs):
    if isinstance(theirs, (int, float)):
        return ours != "" and float(ours) == theirs
    return ours == theirs


def expected_rows(path):
    book = openpyxl.load_workbook(path, read_only=True)
    rows = []
    for number, row in enumerate(book.worksheets[0].iter_rows(), 1):
        cells = [written(cell) for cell in row]
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            rows.append([number, cells])
    book.close()
    return rows


def main():
    program = sys.argv[1]
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    cells = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "book.xlsx")
        for seed in range(first, first + count):
            make(seed, path)
            printed = subprocess.run([program, path], capture_output=True, check=False)
            if printed.returncode != 0:
                sys.exit("seed %d: %s" % (seed, printed.stderr.decode()))
            ours = [json.loads(line) for line in printed.stdout.decode().split("\n") if line]
            theirs = expected_rows(path)
            if [row[0] for row in ours] != [row[0] for row in theirs]:
                sys.exit("seed %d: other rows: %d and %d" % (seed, len(ours), len(theirs)))
            for mine, other in zip(ours, theirs):
                if not isinstance(mine[1], list) or len(mine[1]) != len(other[1]):
                    sys.exit("seed %d, row %d: %r is not %r" % (seed, mine[0], mine[1], other[1]))
                for column, (a, b) in enumerate(zip(mine[1], other[1]), 1):
                    cells += 1
                    if not same(a, b):
                        sys.exit("seed %d, row %d, cell %d: %r is not %r"
                                 % (seed, mine[0], column, a, b))
    print("%d workbooks, %d cells: the same" % (count, cells))
    if cells == 0:
        sys.exit("nothing was compared")


if __name__ == "__main__":
    main()
