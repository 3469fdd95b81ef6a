"""CIFAR-10's batches, made in the layout of the official ones: protocol 2 as Python 2 wrote it."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.sources.cifar10 import BATCHES, CLASSES

PROTOCOL = b"\x80\x02"


def pickle_of(value: object) -> bytes:
    """Return a whole pickle of a value."""
    return PROTOCOL + encode(value) + b"."


def encode(value: object) -> bytes:
    """Encode a dict, list, tuple, text, number, bool, None or array of bytes by opcodes."""
    match value:
        case None:
            code = b"N"
        case bool():
            code = b"\x88" if value else b"\x89"
        case int():
            code = _encode_number(value)
        case bytes() if len(value) < 256:
            code = b"U" + struct.pack("<B", len(value)) + value + b"q\x01"
        case bytes():
            code = b"T" + struct.pack("<i", len(value)) + value + b"r\x01\x00\x00\x00"
        case list():
            code = b"]q\x02(" + b"".join(map(encode, value)) + b"e"
        case dict():
            items = (encode(key) + encode(entry) for key, entry in value.items())
            code = b"}q\x03(" + b"".join(items) + b"u"
        case np.ndarray():
            code = _encode_array(value)
        case _:
            raise TypeError(type(value))
    return code


def _encode_number(number: int) -> bytes:
    if 0 <= number < 256:
        return b"K" + struct.pack("<B", number)
    if 0 <= number < 65536:
        return b"M" + struct.pack("<H", number)
    return b"J" + struct.pack("<i", number)


def _encode_array(array: NDArray[np.uint8]) -> bytes:
    """Encode an array as numpy 1 did: begun empty, its type built, then its state set."""
    begun = b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85q\x06"
    begun += encode(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\nq\x07" + encode(b"u1") + b"K\x00K\x01\x87Rq\x08"
    dtype += b"(K\x03" + encode(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    rows, columns = array.shape
    shape = encode(rows) + encode(columns) + b"\x86q\x09"
    return begun + b"(K\x01" + shape + dtype + b"\x89" + encode(array.tobytes()) + b"tb"


def batch_of(pictures: Sequence[NDArray[np.uint8]], classes: Sequence[int]) -> dict[bytes, object]:
    """Return what a batch holds: pictures, 32 x 32 x 3, as rows of red, green and blue planes."""
    rows = [picture.transpose(2, 0, 1).reshape(-1) for picture in pictures]
    return {
        b"batch_label": b"a batch",
        b"labels": list(classes),
        b"data": np.stack(rows),
        b"filenames": [b"a_s_%06d.png" % number for number in range(len(rows))],
    }


def write_batches(folder: Path, count: int) -> list[NDArray[np.uint8]]:
    """Write all batches with `count` chance pictures each; return all pictures in order.

    Picture i of each batch is of class i modulo 10.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [name.encode() for name in CLASSES]
    meta = {b"num_cases_per_batch": count, b"label_names": names, b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(pickle_of(meta))
    rng = np.random.default_rng(0)
    written: list[NDArray[np.uint8]] = []
    for name in BATCHES:
        pictures = list(rng.integers(0, 256, (count, 32, 32, 3), np.uint8))
        batch = batch_of(pictures, [number % 10 for number in range(count)])
        (folder / name).write_bytes(pickle_of(batch))
        written += pictures
    return written
