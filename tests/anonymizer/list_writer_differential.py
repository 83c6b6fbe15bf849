#!/usr/bin/env python3
"""Lists written by Sealbook, read by the programs that people have: the same contents.

    list_writer_differential.py WRITE_LIST [SEED]

WRITE_LIST is the program of write_list.cc. CSV is read by Python's csv, JSON Lines by its json,
workbooks by openpyxl and LibreOffice, vCards by vobject. Ends with 77 where one of them is missing.
"""

import csv
import glob
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

try:
    import openpyxl
    import vobject
    from openpyxl.utils.escape import unescape
except ImportError as missing:
    # Debian's packages belong to Debian's own interpreter.
    system = "/usr/bin/python3"
    if os.path.exists(system) and "SEALBOOK_TRIED_SYSTEM_PYTHON" not in os.environ:
        os.environ["SEALBOOK_TRIED_SYSTEM_PYTHON"] = "1"
        os.execv(system, [system] + sys.argv)
    print("skipped: needs python3-openpyxl and python3-vobject (%s)" % missing)
    sys.exit(77)

OFFICE = shutil.which("soffice")
if OFFICE is None:
    print("skipped: needs libreoffice-calc-nogui (soffice)")
    sys.exit(77)

UID = 2837470195
COLUMNS = ["uid", "name", "phone", "phone_2", "email", "company", "address", "tags", "note",
           "birth_date", "orders", "피부타입", "books"]
PIECES = ["'", "=", "+", "-", "@", "\t", "\n", '"', ",", ";", "|", "\\", "\\n", "^n", " ", "<", "&",
          "]]>", "김", "씨", "李", "é", "😀", "a", "1", "010", "(집)", "/", "null", "＝", "{}", "%00",
          "END:VCARD", "=HYPERLINK(\"http://example.com\")", "=1+1", "2024-05-01", "1.5E+3", "#REF!", "_x0041_"]
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def text(rng):
    pieces = "".join(rng.choice(PIECES) for _ in range(rng.choice([1, 1, 2, 5, 40])))
    return pieces.strip()


def contacts(rng):
    made = []
    for i in range(400):
        fields = {"name": text(rng), "note": text(rng), "company": text(rng), "tags": text(rng),
                  "address": text(rng), "orders": text(rng), "피부타입": text(rng),
                  "phone": "+8210%08d" % rng.randrange(10**8), "email": "a%d@example.com" % i,
                  "birth_date": rng.choice(["1990-01-02", "1990-13-40", "1. 2."])}
        if rng.random() < 0.5:
            fields["phone_2"] = "+8231%08d" % rng.randrange(10**8)
        kept = {name: value for name, value in fields.items() if value and rng.random() < 0.9}
        made.append({"uid": UID, "books": rng.choice([[], ["seoul"], ["seoul", "vip, all"]]),
                     "fields": kept})
    return made


def expected(contact):
    row = dict(contact["fields"])
    row["uid"] = "UID_%d" % UID
    row["books"] = "; ".join(contact["books"])
    return [row.get(column, "") for column in COLUMNS]


def without_apostrophe(cell):
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def check(name, got, want):
    if got == want:
        print("%s: %d rows the same" % (name, len(want)))
        return
    for i, (one, other) in enumerate(zip(got, want)):
        for column, a, b in zip(COLUMNS, one, other):
            if a != b:
                sys.exit("%s, row %d, %s: read %r, written %r" % (name, i + 1, column, a, b))
    sys.exit("%s: %d rows read, %d written" % (name, len(got), len(want)))


def read_csv(data):
    assert data.startswith(b"\xef\xbb\xbf"), "no mark"
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    assert rows[0] == COLUMNS, rows[0]
    for row in rows[1:]:
        for cell in row:
            assert not FORMULA.match(cell) or cell.startswith("'"), "a formula: %r" % cell
    return [[without_apostrophe(cell) for cell in row] for row in rows[1:]]


def read_json(data):
    return [[json.loads(line).get(column, "") for column in COLUMNS]
            for line in data.decode("utf-8").splitlines(keepends=False) if line]


def read_openpyxl(path):
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
    sheet = openpyxl.load_workbook(path)["Customers"]
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == COLUMNS
    assert sheet.freeze_panes == "A2" and rows[0][0].font.bold
    for row in rows[1:]:
        for cell in row:
            assert cell.value is None or cell.data_type == "s", "no text: %r" % cell.value
            assert cell.number_format == "@" or cell.value is None
    # It leaves escapes of ECMA-376, 22.9.2.19, to its callers.
    return [[unescape(cell.value or "") for cell in row] for row in rows[1:]]


def read_office(path, folder):
    done = subprocess.run(
        [OFFICE, "-env:UserInstallation=file://" + os.path.join(folder, "profile"), "--headless",
         # Comma, quotes, UTF-8, from the first row, no column's format, all text in quotes.
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false,false",
         "--outdir", folder, path],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=250)
    out = glob.glob(os.path.join(folder, "*.csv"))
    if not out:
        sys.exit("LibreOffice read nothing: %s" % done.stdout.decode("utf-8", "replace"))
    with open(out[0], encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == COLUMNS, rows[0]
    return [[cell.replace("\r\n", "\n") for cell in row] for row in rows[1:]]


def read_cards(data):
    rows = []
    for line in data.split(b"\r\n"):
        assert len(line) <= 75, line
        line.decode("utf-8")
    for card in vobject.readComponents(data.decode("utf-8")):
        row = {}
        for child in card.getChildren():
            field = child.params.get("X-SEALBOOK", [""])[0]
            if field in ("", "-"):
                continue
            value = child.value
            if child.name == "ADR":
                value = value.street
            elif child.name == "ORG":
                assert len(value) == 1
                value = value[0]
            elif child.name == "CATEGORIES":
                value = ",".join(value)
            elif child.name == "TEL":
                value = value.replace("tel:", "", 1)
            elif child.name == "BDAY" and len(value) == 8:
                value = "-".join([value[:4], value[4:6], value[6:]])
            row[field] = value
        assert card.fn.value
        rows.append([row.get(column, "") for column in COLUMNS])
    return rows


def main():
    write_list = sys.argv[1]
    made = contacts(random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1))
    source = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [COLUMNS] + made)

    def written(form):
        return subprocess.run([write_list, form], input=source.encode("utf-8"), check=True,
                              stdout=subprocess.PIPE).stdout

    want = [expected(contact) for contact in made]
    check("csv", read_csv(written("csv")), want)
    check("json", read_json(written("jsonl")), want)
    check("vobject", read_cards(written("vcard")), want)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "list.xlsx")
        with open(path, "wb") as file:
            file.write(written("xlsx"))
        check("openpyxl", read_openpyxl(path), want)
        check("LibreOffice", read_office(path, folder), want)


main()
