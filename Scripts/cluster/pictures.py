#!/usr/bin/env python3
"""Make small PNG pictures that are the same each time, some of them corrupt, with Python alone.

    Scripts/cluster/pictures.py COUNT FOLDER [--corrupt 0.01] [--side 64]

FOLDER/ab/000017.png and so on; the corrupt ones are listed in FOLDER.corrupt, a line each with what is
wrong: cut off, a flipped byte, empty, text, or zeros behind the beginning.
"""

import argparse
import random
import struct
import zlib
from pathlib import Path


def png(numbers, side):
    """A picture of slopes, a disc and some noise."""
    width = side - numbers.randrange(side // 4 + 1)
    height = side - numbers.randrange(side // 4 + 1)
    slopes = [[numbers.uniform(-2, 2) for _ in range(3)] for _ in range(3)]
    center, radius = (numbers.randrange(width), numbers.randrange(height)), numbers.randrange(4, side // 2)
    color = [numbers.randrange(256) for _ in range(3)]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        noise = numbers.randbytes(width)
        for x in range(width):
            if (x - center[0]) ** 2 + (y - center[1]) ** 2 < radius * radius:
                rows += bytes(color)
            else:
                rows += bytes(
                    int(128 + a * (x - width / 2) + b * (y - height / 2) + c * 8 + noise[x] / 16) & 255
                    for a, b, c in slopes
                )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 1))
        + chunk(b"IEND", b"")
    )


def corrupted(numbers, data):
    """Bytes that are no whole picture, and what is wrong with them."""
    kind = numbers.choice(["cut off", "flipped", "empty", "text", "zeros"])
    if kind == "cut off":
        return data[: numbers.randrange(40, len(data) - 20)], kind
    if kind == "flipped":
        place = numbers.randrange(41, len(data) - 16)
        return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :], kind
    if kind == "zeros":
        return data[:45] + bytes(len(data) - 45), kind
    return (b"" if kind == "empty" else b"404 not found\n"), kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corrupt", type=float, default=0.01)
    parser.add_argument("--side", type=int, default=64)
    options = parser.parse_args()
    bad = []
    for number in range(options.count):
        numbers = random.Random(number)
        data = png(numbers, options.side)
        path = options.folder / f"{number % 16:02x}" / f"{number:06d}.png"
        if random.Random(-1 - number).random() < options.corrupt:
            data, kind = corrupted(numbers, data)
            bad.append(f"{path.relative_to(options.folder)}\t{kind}\n")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    Path(f"{options.folder}.corrupt").write_text("".join(bad))
    print(f"{options.count} pictures in {options.folder}, {len(bad)} of them corrupt")


if __name__ == "__main__":
    main()
