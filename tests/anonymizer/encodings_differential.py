#!/usr/bin/env python3
"""Sealbook's decoding against Python's codecs: encodings_differential.py PRINT_DECODED

Every sequence of one and two bytes, and a sample of GB18030's of four, must come out the same in
both, or be no text in both. Where they differ is listed here, each with its reason.
"""
import subprocess
import sys

ones = [bytes([a]) for a in range(0x80, 0x100)]
twos = [bytes([a, b]) for a in range(0x80, 0x100) for b in range(0x100)]


def four(index):
    return bytes([0x81 + index // 12600, 0x30 + index // 1260 % 10,
                  0x81 + index // 10 % 126, 0x30 + index % 10])


fours = [four(i) for i in [*range(39420 + 100), *range(39520, 189000, 501),
                           *range(188900, 189300), *range(189300, 1237576, 97),
                           *range(1237500, 1237700)]]


def gbk_known(sequence, ours, theirs):
    # Windows has the euro sign as a byte of its own; Python's table is older.
    return sequence[0] == 0x80 and theirs is None


def gb18030_known(sequence, ours, theirs):
    # U+1E3F came in the edition of 2005, in the place of a letter for private use.
    return sequence in (b'\xa8\xbc', b'\x81\x35\xf4\x37')


def cp950_known(sequence, ours, theirs):
    # Python puts kana where Windows has nothing and Hong Kong's supplement (and ETEN) has numbers.
    if 0xc6a1 <= int.from_bytes(sequence, 'big') <= 0xc8fe:
        return True
    # Hong Kong's supplement, where Windows has nothing: compared with Python's table of that below.
    return theirs is None


def hkscs_known(sequence, ours, theirs):
    # Signs which Windows and Hong Kong map to different look-alikes. Ours is Windows'.
    if sequence[0] in (0xa1, 0xa2) or sequence == b'\xf9\xfe':
        return True
    # The euro sign of Windows; letters of the supplement of 2008, and those of the one of 2004 that
    # ICU's table has in the area for private use.
    return ours is None or theirs is None


checks = [('cp949', 'cp949', ones + twos, None, 17048, 0),
          ('gbk', 'gbk', ones + twos, gbk_known, 21791, 130),
          ('gb18030', 'gb18030', ones + twos + fours, gb18030_known, 60000, 2),
          ('big5', 'cp950', ones + twos, cp950_known, 13400, 5000),
          ('big5', 'big5hkscs', twos, hkscs_known, 18000, 130),
          ('windows-1252', 'cp1252', ones + twos, None, 123, 0)]


def decoded(sequence, codec):
    try:
        return sequence.decode(codec)
    except UnicodeDecodeError:
        return None


failures = 0
for name, codec, sequences, known, at_least, most_known in checks:
    run = subprocess.run([sys.argv[1], name], check=True, capture_output=True, text=True,
                         input='\n'.join(s.hex() for s in sequences) + '\n')
    lines = run.stdout.split('\n')[:-1]
    assert len(lines) == len(sequences), (name, len(lines), len(sequences))
    same = excused = 0
    for sequence, line in zip(sequences, lines):
        ours = None if line == '-' else ''.join(chr(int(c, 16)) for c in line.split())
        theirs = decoded(sequence, codec)
        if ours == theirs:
            same += ours is not None
        elif known is not None and known(sequence, ours, theirs):
            excused += 1
        else:
            failures += 1
            if failures < 20:
                print(f'{name} {sequence.hex()}: {ascii(ours)}, and in Python {ascii(theirs)}')
    print(f'{name} as {codec}: {same} the same, {excused} known differences')
    if same < at_least or excused > most_known:
        print(f'{name}: at least {at_least} were to be the same, and at most {most_known} known')
        failures += 1
sys.exit(1 if failures else 0)
