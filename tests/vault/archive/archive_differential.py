#!/usr/bin/python3
"""What Sealbook archives, a second reader reads, which was written from docs/format.md alone; and what one refuses, so does the other.

    archive_differential.py ARCHIVE_TOOL DICTIONARIES [SEED]

ARCHIVE_TOOL is tests/vault/archive/archive_tool.cc, built. Without what read_archive.py needs it ends with 77.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import read_archive


def fail(what):
    sys.exit(f"differs: {what}")


class Case:
    def __init__(self, tool, dictionaries, folder, seed):
        self.tool, self.dictionaries, self.folder = tool, dictionaries, pathlib.Path(folder)
        subprocess.run([tool, "write", str(folder), str(seed)], check=True)
        self.archive = next(self.folder.glob("*.sba.age"))
        self.signer = (self.folder / "signer.txt").read_text()

    def ours(self):
        done = subprocess.run([self.tool, "read", str(self.archive), f"{self.archive}.sig", str(self.folder),
                               str(self.folder / "identity.txt"), self.signer], capture_output=True, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def theirs(self):
        try:
            messages, _ = read_archive.read_archive(self.archive, f"{self.archive}.sig", self.folder, self.folder / "identity.txt",
                                                    self.dictionaries, bytes.fromhex(self.signer))
        except read_archive.Damaged:
            return 1, []
        return 0, messages


def damage(dice, data):
    at = dice.randrange(len(data))
    return {"change": data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:], "cut": data[:at],
            "add": data + dice.randbytes(1 + at % 100)}[dice.choice(["change", "cut", "add"])]


def main():
    if shutil.which("age") is None:
        print("skipped: the program `age` is not installed")
        return 77
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    print(f"seed {seed}")
    dice = random.Random(seed)
    erased = read = 0
    for _ in range(8):
        with tempfile.TemporaryDirectory() as folder:
            case = Case(sys.argv[1], sys.argv[2], folder, dice.randrange(1 << 32))
            truth = [json.loads(line) for line in (case.folder / "messages.jsonl").read_bytes().splitlines()]
            (code, ours), (their_code, theirs) = case.ours(), case.theirs()
            if code or their_code or ours != theirs:
                fail("the messages of an archive")
            people = {message["uid"] for message in theirs}
            if theirs != [message for message in truth if message["uid"] in people]:
                fail("messages that were not written so")
            erased += len({message["uid"] for message in truth}) - len(people)
            read += len(theirs)
            newest = {}
            for path in sorted((case.folder / "subjects").iterdir(), key=lambda path: int(path.name.split(".v")[1])):
                newest[path.name.split(".")[0]] = path
            for path in [case.archive, pathlib.Path(f"{case.archive}.sig"), case.folder / "escrow.key.age", *newest.values()][:5]:
                whole = path.read_bytes()
                path.write_bytes(damage(dice, whole))
                if case.ours()[0] == 0 or case.theirs()[0] == 0:
                    fail(f"a damaged {path.name} is taken")
                path.write_bytes(whole)
    if not erased or not read:
        fail("nobody was erased, or nobody read: the test tests nothing")
    print(f"the same: {read} messages; {erased} people erased")
    return 0


if __name__ == "__main__":
    sys.exit(main())
