#!/usr/bin/env python3
"""What Debian's `age` encrypts, ours decrypts, and the other way round; what one refuses, so does the other.

    age_differential.py AGE_COMMAND [SEED]

AGE_COMMAND is tests/vault/crypto/age_command.cc, built. `age` asks for passphrases on a terminal of its own, which this script
plays. Without `age` on the search path it ends with 77.
"""

import os
import pty
import random
import re
import shutil
import subprocess
import sys
import tempfile

MIB = 1 << 20
SIZES = [0, 1, 47, 48, 49, 1000, 65535, 65536, 65537, 131072, MIB - 1, MIB, MIB + 1, 5 * MIB + 7, 17 * MIB]
PASSPHRASE = "correct horse battery staple"


def run(arguments, data=b""):
    return subprocess.run(arguments, input=data, capture_output=True, check=False)


def output(arguments, data=b""):
    done = run(arguments, data)
    if done.returncode != 0:
        sys.exit(f"{arguments[:3]} failed: {done.stderr.decode(errors='replace')}")
    return done.stdout


def on_terminal(arguments, answer):
    """Runs a program with a terminal of its own, and gives `answer` to whatever asks for a passphrase."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(arguments[0], arguments)
    said, answered = b"", 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
        asked = len(re.findall(rb"passphrase[^:\n]*:", said, re.IGNORECASE))
        for _ in range(answered, asked):
            os.write(terminal, answer.encode() + b"\n")
        answered = max(answered, asked)
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0 or answered == 0:
        sys.exit(f"{arguments[:2]} failed: {said.decode(errors='replace')}")


class Tools:
    def __init__(self, ours, folder):
        self.ours, self.folder = ours, folder
        self.identities, self.recipients = [], []
        for i in range(20):
            text = output(["age-keygen"]).decode()
            self.identities.append(re.search("AGE-SECRET-KEY-1.*", text).group())
            self.recipients.append(re.search("public key: (age1.*)", text).group(1))
            self.write(f"identity{i}", self.identities[i].encode())

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


def check(fine, what):
    if not fine:
        sys.exit(f"differs: {what}")


def both_ways(tools, data, recipients, reader, armor, what):
    theirs = ["age", *(["-a"] if armor else [])]
    for i in recipients:
        theirs += ["-r", tools.recipients[i]]
    ours = [tools.ours, "encrypt", *(["--armor"] if armor else []), *(tools.recipients[i] for i in recipients)]
    by_age = output(theirs, data)
    by_us = output(ours, data)
    check(output([tools.ours, "decrypt", tools.identities[reader]], by_age) == data, f"age's {what}, read by us")
    check(output(["age", "-d", "-i", tools.path(f"identity{reader}")], by_us) == data, f"our {what}, read by age")
    return by_us


def main():
    if shutil.which("age") is None or shutil.which("age-keygen") is None:
        print("skipped: the program `age` is not installed")
        return 77
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {seed}")
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(sys.argv[1], folder)
        for size in SIZES + [dice.randrange(3 * MIB) for _ in range(5)]:
            for armor in (False, True):
                count = dice.choice([1, 2, 20])
                recipients = dice.sample(range(20), count)
                both_ways(tools, dice.randbytes(size), recipients, dice.choice(recipients), armor,
                          f"file of {size} bytes, {count} recipients, armor {armor}")
        # Damaged files: neither takes one, and each prints only what the file begins with.
        data = dice.randbytes(3 * 65536 + 10)
        file = both_ways(tools, data, [0], 0, False, "file to damage")
        for _ in range(60):
            at, way = dice.randrange(len(file)), dice.choice(["change", "cut", "add"])
            if dice.random() < 0.5:
                at = dice.randrange(350)  # the header
            damaged = {"change": file[:at] + bytes([file[at] ^ 1 << dice.randrange(8)]) + file[at + 1:], "cut": file[:at],
                       "add": file + dice.randbytes(1 + at)}[way]
            for command in ([tools.ours, "decrypt", tools.identities[0]], ["age", "-d", "-i", tools.path("identity0")]):
                done = run(command, damaged)
                check(done.returncode != 0, f"{way} at {at} taken by {command[0]}")
                check(data.startswith(done.stdout), f"{way} at {at}: bytes that are not the file's, by {command[0]}")
        # Passphrases.
        data = dice.randbytes(100_000)
        tools.write("clear", data)
        for armor in (False, True):
            arguments = ["age", "-p", *(["-a"] if armor else []), "-o", tools.path("theirs"), tools.path("clear")]
            on_terminal(arguments, PASSPHRASE)
            by_age = tools.read("theirs")
            check(output([tools.ours, "decrypt", "--passphrase", PASSPHRASE], by_age) == data, "age's file with a passphrase")
            check(run([tools.ours, "decrypt", "--passphrase", PASSPHRASE + " "], by_age).returncode != 0, "a wrong passphrase")
            arguments = [tools.ours, "encrypt", *(["--armor"] if armor else []), "--passphrase", PASSPHRASE, "10"]
            tools.write("ours", output(arguments, data))
            on_terminal(["age", "-d", "-o", tools.path("opened"), tools.path("ours")], PASSPHRASE)
            check(tools.read("opened") == data, "our file with a passphrase")
    print("the same both ways")
    return 0


if __name__ == "__main__":
    sys.exit(main())
