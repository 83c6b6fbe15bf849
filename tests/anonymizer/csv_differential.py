#!/usr/bin/env python3
"""Generated CSV lists, read by Python's csv and by ours, must give the same cells.

    csv_differential.py PRINT_TABLE [COUNT] [SEED]

PRINT_TABLE is tests/anonymizer/print_table.cc, built. Cells hold delimiters, quotes, line breaks, blanks inside, and letters
of many scripts. What the two take for different things on purpose is not generated: blanks at the ends of cells, which ours
drops, and rows of empty cells, which ours passes over.
"""

import csv
import io
import json
import random
import subprocess
import sys
import tempfile

WORDS = ["김서연", "王芳", "José Núñez", "佐藤", "a", "O'Neil", "😀", "12", "x,y", "x;y", "x|y", 'say "hi"', '""', "two\nlines",
         "tab\there", "'010", "=1+1", "a b", "-", "comma,\"quote\"\nline"]


def table(dice):
    columns = dice.randint(2, 7)
    rows = [[f"column {i}" for i in range(columns)]]
    for _ in range(dice.randint(1, 40)):
        row = [" ".join(dice.choice(WORDS) for _ in range(dice.randint(1, 3))) if dice.random() < 0.8 else "" for _ in range(columns)]
        if not any(row):
            row[0] = "a"
        rows.append(row)
    return rows


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    dice, cells = random.Random(seed), 0
    for number in range(count):
        delimiter = dice.choice(",;\t|")
        end = dice.choice(["\n", "\r\n"])
        quoting = dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table(dice))
        content = text.getvalue()
        theirs = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write((b"\xef\xbb\xbf" if dice.random() < 0.3 else b"") + content.encode())
            file.flush()
            printed = subprocess.run([program, file.name], capture_output=True, check=False)
        ours = [json.loads(line) for line in printed.stdout.decode().split("\n") if line]
        if [row[1] for row in ours] != theirs:
            print(f"list {number} of seed {seed} differs (delimiter {delimiter!r}): {printed.stderr.decode()}", file=sys.stderr)
            for one, other in zip([row[1] for row in ours], theirs):
                if one != other:
                    print(f"  ours   {one!r}\n  theirs {other!r}", file=sys.stderr)
                    break
            return 1
        cells += sum(len(row) for row in theirs)
    print(f"{count} lists, {cells} cells: the same (seed {seed})")
    return 0


sys.exit(main())
