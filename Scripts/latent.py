"""Read `.latent` files in Python: numpy and zstandard are all it takes.

    from latent import load, LatentFolder
    latent, header = load("photo.latent")       # float32, C×h×w (2C×h×w for moments)
    scaled = (latent - header["model"]["shift_factor"]) * header["model"]["scaling_factor"]

FileFormat.md describes the bytes. The alpha plane, if there is one, is left out.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import zstandard

SIGNATURE = b"\x89LVAE\r\n\x1a"
INTEGER_BITS = {"int8": 8, "int6": 6, "int5": 5, "int4": 4}


def load(path):
    """The latent of a file as a float32 array C×h×w, and the file's header."""
    data = Path(path).read_bytes()
    header, position = read_header(data)
    storage, (_, height, width) = header["storage"], header["latent"]["shape"]
    bits, planes = INTEGER_BITS.get(storage["type"]), []
    for index, filter in enumerate(storage["filter"]):
        payload, position = read_frame(data, position)
        if bits:
            codes = undo_prediction(unpack(payload, bits, height, width), filter, (1 << bits) - 1)
            scale, offset = (np.float32(storage[key][index]) for key in ("scale", "offset"))
            planes.append(codes.astype(np.float32) * scale + offset)
        else:
            planes.append(floats(payload, storage["type"], filter).reshape(height, width))
    return np.stack(planes), header


def read_header(data):
    """The header of a file, and where the planes begin."""
    if data[:4] != b"\x5c\x2a\x4d\x18" or data[8:16] != SIGNATURE:
        raise ValueError("not a .latent file")
    end = 8 + struct.unpack("<I", data[4:8])[0]
    if len(data) < end or zlib.crc32(data[: end - 4]) != struct.unpack("<I", data[end - 4 : end])[0]:
        raise ValueError("the header is damaged")
    header = json.loads(data[16 : end - 4])
    if header["version"] > 1 or header.get("requires"):
        raise ValueError("the file needs a newer reader")
    return header, end


def read_frame(data, position):
    """The content of the zstd frame at a place, its checksum verified, and where it ends."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    content = frame.decompress(data[position:])
    if not frame.eof:
        raise ValueError("the file is cut short")
    return np.frombuffer(content, np.uint8), len(data) - len(frame.unused_data)


def unpack(payload, bits, height, width):
    """The values of an integer plane: four bits each for int4, a byte each for the others."""
    if bits == 4:
        payload = np.stack([payload & 15, payload >> 4], axis=1).ravel()[: height * width]
    return payload.reshape(height, width)


def undo_prediction(differences, filter, mask):
    """The codes behind differences from a guess: filter 0 is none, 1 the left neighbour, 2 the
    mean of the left and the upper one, 3 PNG's Paeth. What a diagonal needs, those before it have."""
    if filter == 0:
        return differences
    height, width = differences.shape
    codes = np.zeros((height + 1, width + 1), np.int64)  # with a border of zeros
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, up, corner = codes[y + 1, x], codes[y, x + 1], codes[y, x]
        guess = left if filter == 1 else left + up >> 1 if filter == 2 else paeth(left, up, corner)
        codes[y + 1, x + 1] = (differences[y, x] + guess) & mask
    return codes[1:, 1:]


def paeth(left, up, corner):
    """The neighbour nearest to left + up − corner; the first of equals."""
    to_left, to_up, to_corner = (abs(left + up - corner - n) for n in (left, up, corner))
    upper = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, upper)


def floats(payload, storage, filter):
    """The values of a floating-point plane: filter 4 has the bytes apart, all first bytes first."""
    size = 4 if storage == "f32" else 2
    data = payload.reshape(size, -1).T if filter == 4 else payload.reshape(-1, size)
    data = np.ascontiguousarray(data)
    if storage == "bf16":
        return (data.view("<u2").ravel().astype(np.uint32) << 16).view(np.float32)
    return data.view("<f2" if storage == "f16" else "<f4").ravel().astype(np.float32)


def LatentFolder(folder):
    """A torch Dataset of the latents (not moments) below a folder, in name order, for a denoiser."""
    import torch

    class Latents(torch.utils.data.Dataset):
        paths = sorted(Path(folder).rglob("*.latent"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            latent, header = load(self.paths[index])
            model = header["model"]
            shift, scaling = model.get("shift_factor", 0), model.get("scaling_factor", 1)
            return torch.from_numpy((latent - np.float32(shift)) * np.float32(scaling))

    return Latents()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        latent, header = load(name)
        print(name, latent.shape, f"{latent.min():.3f}…{latent.max():.3f}", header["model"]["name"])
