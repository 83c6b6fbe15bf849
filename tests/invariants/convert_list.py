"""Writes the rows of a CSV list with the columns name, phone, phone 2, email, note, skin in another format:

    convert_list.py IN.csv OUT.(jsonl|vcf|xlsx|cp949.csv)
"""
import csv
import json
import sys


def escaped(text):
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")


def main(source, target):
    with open(source, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if target.endswith(".cp949.csv"):
        with open(target, "w", newline="", encoding="cp949") as file:
            writer = csv.writer(file, delimiter=";")
            # A word that tells the encoding.
            writer.writerow(["이름", "연락처", "연락처2", "이메일", "메모", "skin"])
            writer.writerows(row.values() for row in rows)
    elif target.endswith(".jsonl"):
        with open(target, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({k: v for k, v in row.items() if v}) + "\n")
    elif target.endswith(".vcf"):
        names = {"phone": "TEL;TYPE=CELL", "phone 2": "TEL;TYPE=HOME", "email": "EMAIL", "note": "NOTE", "skin": "SKIN"}
        with open(target, "w", newline="", encoding="utf-8") as file:
            for row in rows:
                lines = ["BEGIN:VCARD", "VERSION:3.0", "FN:" + escaped(row["name"])]
                lines += [f"{names[k]}:{escaped(v)}" for k, v in row.items() if v and k in names]
                file.write("\r\n".join(lines + ["END:VCARD", ""]))
    else:
        import openpyxl

        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([value or None for value in row.values()])
        book.save(target)


main(*sys.argv[1:])
