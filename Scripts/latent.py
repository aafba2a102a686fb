"""Read `.latent` files in Python: numpy and zstandard are all it takes.

    from latent import load, loads, LatentFolder
    latent, header = load("photo.latent")       # float32, C×h×w (2C×h×w for moments)
    scaled = (latent - header["model"]["shift_factor"]) * header["model"]["scaling_factor"]

`loads` takes bytes, for members of tars: webdataset.WebDataset("{000..099}.tar").map_dict(latent=loads).
`LatentFolder` is a torch Dataset. FileFormat.md describes the bytes. The alpha plane is left out. Headers
share what is alike in them: copy one before you change it.

    python3 latent.py FILE…                     prints what is in them
    python3 latent.py --speed FOLDER            how many are read in a second
"""

import json
import struct
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import zstandard

SIGNATURE = b"\x89LVAE\r\n\x1a"
INTEGER_BITS = {"int8": 8, "int6": 6, "int5": 5, "int4": 4}
LOCAL = threading.local()  # a decompressor a thread
DECODER = json.JSONDecoder()
ALIKE = {"model": ("{}", {}), "latent": ("{}", {}), "preview": ("{}", {})}  # the last text and value
MOST_BYTES = 1 << 29  # of a payload; larger ones are refused


def load(path):
    """The latent of a file as a float32 array C×h×w, and the file's header."""
    with open(path, "rb", buffering=0) as file:
        return loads(file.read())


def loads(data):
    """The same from the bytes of a file."""
    header, position = read_header(data)
    storage, (channels, height, width) = header["storage"], header["latent"]["shape"]
    count = 2 * channels if header["latent"]["values"] == "moments" else channels
    bits = INTEGER_BITS.get(storage["type"])
    size = 4 if storage["type"] == "f32" else 2
    plane = (height * width + 1) // 2 if bits == 4 else height * width * (1 if bits else size)
    payload = read_frames(data, position, count, plane).reshape(count, plane)
    if not bits:
        planes = [floats(row, storage["type"], f) for row, f in zip(payload, storage["filter"])]
        return np.stack(planes).reshape(count, height, width), header
    codes = unpack(payload, bits, height, width)
    filters = storage["filter"]
    if any(filters):
        codes = codes.copy()
        for filter in set(filters) - {0}:
            which = [index for index, found in enumerate(filters) if found == filter]
            codes[which] = undo_prediction(codes[which], filter, (1 << bits) - 1)
    scale, offset = (np.array(storage[key], np.float32)[:, None, None] for key in ("scale", "offset"))
    return codes.astype(np.float32) * scale + offset, header


def read_header(data):
    """The header of a file, and where the planes begin."""
    if data[:4] != b"\x5c\x2a\x4d\x18" or data[8:16] != SIGNATURE:
        raise ValueError("not a .latent file")
    end = 8 + struct.unpack("<I", data[4:8])[0]
    if len(data) < end or zlib.crc32(data[: end - 4]) != struct.unpack("<I", data[end - 4 : end])[0]:
        raise ValueError("the header is damaged")
    header = parse(str(data[16 : end - 4], "utf-8"))
    if header["version"] > 1 or header.get("requires"):
        raise ValueError("the file needs a newer reader")
    return header, end


def parse(text):
    """The JSON of a header, as json.loads. Much of it is alike in all files of a data set, and a text that
    begins with the object that was there the last time has the same object: it ends where its braces do."""
    header, position, before = {}, 0, '{"'
    try:
        while text.startswith(before, position):
            key, position = DECODER.raw_decode(text, position + 1)
            if not text.startswith(":", position):
                return json.loads(text)
            position += 1
            last, value = ALIKE.get(key, ("", None))
            if last and text.startswith(last, position):
                end = position + len(last)
            else:
                value, end = DECODER.raw_decode(text, position)
                if last and isinstance(value, dict):
                    ALIKE[key] = text[position:end], value
            header[key], position, before = value, end, ',"'
        if text[position:] == "}":
            return header
    except json.JSONDecodeError:
        pass
    return json.loads(text)  # it has blanks, or isn't JSON


def read_frames(data, position, count, size):
    """The content of the zstd frames from a place on, one a plane, their checksums verified."""
    total = count * size
    if total > MOST_BYTES:
        raise ValueError(f"{total} bytes of payload; raise MOST_BYTES if you trust the file")
    if not hasattr(LOCAL, "decompressor"):
        LOCAL.decompressor = zstandard.ZstdDecompressor()
    frames = LOCAL.decompressor.stream_reader(data[position:], read_across_frames=True)
    content = frames.read(total + 1)  # one more, so that the last frame's checksum is read too
    if len(content) < total:
        raise ValueError("the file is cut short")
    return np.frombuffer(content, np.uint8, total)


def unpack(payload, bits, height, width):
    """The values of integer planes: four bits each for int4, a byte each for the others."""
    if bits == 4:
        payload = np.stack([payload & 15, payload >> 4], axis=2).reshape(len(payload), -1)
        payload = payload[:, : height * width]
    return payload.reshape(-1, height, width)


def undo_prediction(differences, filter, mask):
    """The codes behind differences from a guess: filter 1 is the left neighbour, 2 the mean of the
    left and the upper one, 3 PNG's Paeth. What a diagonal needs, those before it have."""
    if filter == 1:
        return np.cumsum(differences, axis=2, dtype=np.int64) & mask
    planes, height, width = differences.shape
    codes = np.zeros((planes, height + 1, width + 1), np.int64)  # with a border of zeros
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, up, corner = codes[:, y + 1, x], codes[:, y, x + 1], codes[:, y, x]
        guess = left + up >> 1 if filter == 2 else paeth(left, up, corner)
        codes[:, y + 1, x + 1] = (differences[:, y, x] + guess) & mask
    return codes[:, 1:, 1:]


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
        paths = [str(path) for path in sorted(Path(folder).rglob("*.latent"))]

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            latent, header = load(self.paths[index])
            model = header["model"]
            shift, scaling = model.get("shift_factor", 0), model.get("scaling_factor", 1)
            return torch.from_numpy((latent - np.float32(shift)) * np.float32(scaling))

    return Latents()


def speed(folder):
    """Prints how many latents of a folder one process reads in a second, the files being cached."""
    paths = [str(path) for path in sorted(Path(folder).rglob("*.latent"))]
    for path in paths:
        Path(path).read_bytes()
    start = time.perf_counter(), time.process_time()
    for path in paths:
        load(path)
    wall, busy = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"{len(paths)} latents: {len(paths) / wall:.0f} a second, {len(paths) / busy:.0f} a second of CPU")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--speed"]:
        sys.exit(speed(sys.argv[2]))
    for name in sys.argv[1:]:
        latent, header = load(name)
        print(name, latent.shape, f"{latent.min():.3f}…{latent.max():.3f}", header["model"]["name"])
