#!/usr/bin/python3
"""Reads an archive of Sealbook without Sealbook: a second reader, written from docs/format.md alone.

    read_archive.py ARCHIVE SIGNATURE KEYS IDENTITY DICTIONARIES [SIGNER]

KEYS is a folder with escrow.key.age and subjects/, IDENTITY a file of age identities, DICTIONARIES the folder
vault/records/chat_dictionaries, SIGNER the public key (hexadecimal) that archives and shards must be signed with (without it,
whichever they name). Prints a line of JSON a message: uid, time, direction, author, text. Whoever has no record in a
shard any more is left out, and counted on standard error.

Needs `age`, and Debian's python3-nacl and python3-zstandard; without them it ends with 77.
"""

import datetime
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

try:
    import nacl.bindings as sodium
    import nacl.exceptions
    import nacl.signing
    import zstandard
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

MAGIC, END = b"sealbook-archive", b"sealbook-arc-end"
CHUNK, NONCE, TAG = 65536, 16, 16
DIRECTIONS = ["in", "out", "none"]


class Damaged(Exception):
    """Something is not as docs/format.md has it."""


def check(fine, what):
    if not fine:
        raise Damaged(what)


class Bytes:
    """A cursor over bytes: fixed-width big-endian numbers, and lengths before what varies."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, size):
        check(0 <= size <= len(self.data) - self.at, "cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.raw(size), "big", signed=signed)

    def u8(self):
        return self.number(1)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def i32(self):
        return self.number(4, signed=True)

    def i64(self):
        return self.number(8, signed=True)

    def text(self):
        return self.raw(self.u32())

    def varint(self):
        value = 0
        for shift in range(0, 63, 7):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Damaged("a varint is too long")

    def rest(self):
        return self.raw(len(self.data) - self.at)

    def end(self):
        check(self.at == len(self.data), "too long")


def labeled(label, *parts):
    return bytes([len(label)]) + label.encode() + b"".join(parts)


def hash256(label, *parts):
    return hashlib.blake2b(labeled(label, *parts), digest_size=32).digest()


def derive(key, label, *parts):
    return hashlib.blake2b(labeled(label, *parts), digest_size=32, key=key).digest()


def u32(value):
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


def u64(value):
    return (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")


def open_sealed(key, place, sealed):
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], place, sealed[:24], key)
    except nacl.exceptions.CryptoError:
        raise Damaged("a sealed value does not open") from None


def decrypt_age(identity, data):
    done = subprocess.run(["age", "-d", "-i", str(identity)], input=data, capture_output=True, check=False)
    check(done.returncode == 0, "age: " + done.stderr.decode(errors="replace").strip())
    return done.stdout


def signed_body(label, data, signer_at, expected):
    """The body of a signed file, whose signer's key stands at an offset."""
    check(len(data) >= 64, "no " + label)
    body, signature = data[:-64], data[-64:]
    check(Bytes(body).text() == label.encode(), "no " + label)
    key = body[signer_at:signer_at + 32]
    check(expected is None or key == expected, "signed by somebody else")
    try:
        nacl.signing.VerifyKey(key).verify(labeled(label, body), signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        raise Damaged("a signature is wrong") from None
    return Bytes(body)


def name_day(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


class Signature:
    def __init__(self, data, name, expected):
        body = signed_body("sealbook/archive/1", data, 98, expected)
        body.text()
        self.vault, self.run = body.raw(16), body.i64()
        self.first_day, self.last_day = body.i32(), body.i32()
        self.totals = (body.u64(), body.u64(), body.u64())
        body.u32(), body.u64(), body.u64(), body.raw(32)
        self.size, self.sha256, self.block0 = body.u64(), body.raw(32), body.u32()
        self.blocks = [body.raw(32) for _ in range(body.u32())]
        body.end()
        check(name == f"{self.vault.hex()}-{name_day(self.last_day)}-{self.run}.sba.age", "another archive's name")

    def check_file(self, data):
        check(len(data) == self.size and hashlib.sha256(data).digest() == self.sha256, "another file than was signed")
        places = [0, *range(self.block0, len(data), CHUNK + TAG), len(data)]
        blocks = [hash256("sealbook/archive-block/1", u64(i), data[places[i]:places[i + 1]]) for i in range(len(places) - 1)]
        check(blocks == self.blocks, "another block than was signed")


def read_shards(folder, vault, expected):
    """contact -> (token, public key, box), of the newest version of each shard."""
    newest = {}
    for path in (folder / "subjects").iterdir():
        name = re.fullmatch(r"(\d{6,})\.v([1-9]\d*)", path.name)
        if name:
            number, version = int(name[1]), int(name[2])
            if version > newest.get(number, (0, None))[0]:
                newest[number] = (version, path)
    records = {}
    for number, (version, path) in newest.items():
        body = signed_body("sealbook/subject-shard/1", path.read_bytes(), 76, expected)
        body.text()
        check((body.raw(16), body.u32(), body.u64()) == (vault, number, version), "a shard under another one's name")
        body.u32(), body.u64(), body.u64(), body.raw(32)
        last = 0
        for _ in range(body.u32()):
            contact, token = body.i64(), body.i64()
            check(contact > last and contact // 1024 == number, "a shard out of order")
            last = contact
            body.i64(), body.raw(32)
            records[contact] = (token, body.raw(32), body.raw(141))
        body.end()
    return records


def open_subject(escrow, vault, contact, token, public, box):
    try:
        plain = sodium.crypto_box_seal_open(box, sodium.crypto_scalarmult_base(escrow), escrow)
    except nacl.exceptions.CryptoError:
        raise Damaged("a subject secret does not open") from None
    plain = Bytes(plain)
    check((plain.text(), plain.raw(16), plain.i64(), plain.i64()) == (b"sealbook/subject-secret/1", vault, contact, token),
          "a subject secret of somebody else")
    secret = plain.raw(32)
    plain.end()
    check(sodium.crypto_scalarmult_base(secret) == public, "a subject secret of another key")
    return secret


class Dictionaries:
    def __init__(self, folder):
        self.data = {int(path.name.split("_")[0]): path.read_bytes() for path in folder.glob("*.zdict")}

    def check(self, number, digest):
        if number in self.data:
            check(hashlib.blake2b(self.data[number], digest_size=32).digest() == digest, "another dictionary")

    def unpack(self, number, rest_of_frame):
        check(number in self.data, "an unknown dictionary")
        frame = b"\x28\xb5\x2f\xfd" + rest_of_frame
        check(0 <= zstandard.frame_content_size(frame) <= (2 << 20) + 64, "a frame without its size, or too large")
        dictionary = zstandard.ZstdCompressionDict(self.data[number])
        try:
            return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame)
        except zstandard.ZstdError:
            raise Damaged("a frame that does not unpack") from None


def read_chat_chunk(packed, day, dictionaries):
    """The messages of a chat chunk: (seconds since 1970, direction, author, text)."""
    data = Bytes(packed)
    check(data.u8() == 1, "a chat chunk of another version")
    packing = data.u8()
    unit, number = (60, packing & 0x7F) if packing & 0x80 else (1, packing)
    count = data.varint()
    check(1 <= count <= 64, "a wrong number of messages")
    times = [data.varint()]
    for _ in range(count - 1):
        step = data.varint()
        times.append(times[-1] + (step // 2 if step % 2 == 0 else -(step + 1) // 2))
    voices = []
    for _ in range(data.varint()):
        marks = data.u8()
        author = data.raw(data.varint())
        head = data.raw(data.varint()) if marks >> 6 == 3 else b""
        voices.append((marks, author.decode(), head))
    width = (len(voices) - 1).bit_length()
    bits = int.from_bytes(data.raw((count * width + 7) // 8), "little")
    of = [(bits >> (i * width)) & ((1 << width) - 1) for i in range(count)]
    check(max(of) < len(voices), "a voice that is none")
    for i in of:
        form = voices[i][0] >> 6
        data.raw([0, 1, 1, 1][form] and (voices[i][2][-1] // 2 if form == 3 else data.varint()))
    texts = data if number == 0 else Bytes(dictionaries.unpack(number, data.raw(data.varint())))
    messages = []
    for seconds, i in zip(times, of):
        end = texts.data.find(b"\xff", texts.at)
        check(end >= 0 and 0 <= seconds * unit < 86400, "a chat chunk is wrong")
        text = texts.raw(end - texts.at)
        texts.raw(1)
        messages.append((day * 86400 + seconds * unit, DIRECTIONS[voices[i][0] & 3], voices[i][1], text.decode()))
    if texts is not data:
        texts.end()
    check(not any(data.rest()), "padding that is not zero")
    return messages


def read_content(content, signature, dictionaries):
    """Frames in order: (token, contact, public key, [(chunk fields, key)])."""
    data = Bytes(content)
    check(data.raw(16) == MAGIC and data.number(2) == 1, "no archive, or of another version")
    header = (data.raw(16), data.i64(), data.i32(), data.i32())
    check(header == (signature.vault, signature.run, signature.first_day, signature.last_day), "another header than was signed")
    for _ in range(data.u32()):
        dictionaries.check(data.u8(), data.raw(32))
    footer = Bytes(content[-80:])
    index_at, totals = footer.u64(), (footer.u64(), footer.u64(), footer.u64())
    check(footer.raw(32) == hash256("sealbook/archive-content/1", content[:-48]) and footer.raw(16) == END, "a wrong footer")
    check(totals == signature.totals, "other totals than were signed")
    frames, entries, last = [], [], 0
    while data.at < index_at:
        begin = data.at
        check(data.u8() == 1, "no frame")
        token, contact, public = data.i64(), data.i64(), data.raw(32)
        check(contact > last, "contacts out of order")
        last, keys, added, chunks = contact, {}, 0, []
        while (item := data.u8()) != 4:
            if item == 2:
                keys[added % 256] = (data.i64(), data.raw(32), data.raw(72))
                added += 1
            else:
                check(item == 3, "an unknown item")
                day, sequence, messages, slot = data.i32(), data.u32(), data.u8(), data.u8()
                check(slot in keys and signature.first_day <= day <= signature.last_day, "a wrong chunk")
                check(not chunks or (day, sequence) > chunks[-1][0][:2], "chunks out of order")
                chunks.append(((day, sequence, messages, data.raw(data.u32())), keys[slot]))
        check((data.u64(), data.u64()) == (len(chunks), sum(chunk[2] for chunk, _ in chunks)), "a frame's end is wrong")
        frames.append((token, contact, public, chunks))
        entries.append((token, contact, begin, data.at - begin))
    check(data.at == index_at, "an index elsewhere")
    index = [(data.i64(), data.i64(), data.u64(), data.u64()) for _ in frames]
    check(index == sorted(entries) and data.at == len(content) - 80, "a wrong index")
    check(len({entry[0] for entry in index}) == len(index), "a token twice")
    sums = (len(frames), sum(len(frame[3]) for frame in frames), sum(c[2] for f in frames for c, _ in f[3]))
    check(sums == totals, "totals that lie")
    return frames


def open_frame(vault, token, contact, public, secret, chunks, dictionaries):
    keys = {}
    place = vault + u64(contact) + u64(token)
    for (day, sequence, count, sealed), (_, e, wrapped) in chunks:
        if (e, wrapped) not in keys:
            shared = hash256("sealbook/session/1", sodium.crypto_scalarmult(secret, e), e, public)
            keys[e, wrapped] = open_sealed(derive(shared, "sealbook/wrap-key/1"),
                                           b"sealbook-chatk-1" + place + e + e + b"\xff\xff\xff\xff", wrapped)
        packed = open_sealed(keys[e, wrapped], b"sealbook-chat--1" + place + u32(day) + u64(sequence) + u32(count) + e, sealed)
        messages = read_chat_chunk(packed, day, dictionaries)
        check(len(messages) == count, "another number of messages than it says")
        yield from messages


def read_archive(archive, signature, keys, identity, dictionaries, signer=None):
    """Gives (messages as dictionaries, how many contacts have no record). Damaged: something is wrong."""
    archive, keys = pathlib.Path(archive), pathlib.Path(keys)
    data = archive.read_bytes()
    signed = Signature(pathlib.Path(signature).read_bytes(), archive.name, signer)
    signed.check_file(data)
    dictionaries = Dictionaries(pathlib.Path(dictionaries))
    escrow = decrypt_age(identity, (keys / "escrow.key.age").read_bytes())
    check(len(escrow) == 32, "no escrow key")
    records = read_shards(keys, signed.vault, signer)
    messages, missing = [], 0
    for token, contact, public, chunks in read_content(decrypt_age(identity, data), signed, dictionaries):
        if contact not in records:
            missing += 1
            continue
        check(records[contact][:2] == (token, public), "a record of somebody else")
        secret = open_subject(escrow, signed.vault, contact, token, public, records[contact][2])
        for time, direction, author, text in open_frame(signed.vault, token, contact, public, secret, chunks, dictionaries):
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=time)
            messages.append({"uid": f"UID_{token}", "time": moment.isoformat() + "Z", "direction": direction,
                             "author": author, "text": text})
    return messages, missing


def main():
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    if shutil.which("age") is None:
        print("skipped: the program `age` is not installed")
        return 77
    signer = bytes.fromhex(sys.argv[6]) if len(sys.argv) > 6 else None
    try:
        messages, missing = read_archive(*sys.argv[1:6], signer)
    except Damaged as damaged:
        print(f"damaged: {damaged}", file=sys.stderr)
        return 1
    for message in messages:
        print(json.dumps(message, ensure_ascii=False))
    if missing:
        print(f"without a record: {missing}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
