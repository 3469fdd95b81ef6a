"""How large the coded pictures of an AVIF file are, which its header need not tell.

A decoder fills a picture of the size that the AV1 bitstream names, whatever the container says
of it. Boxes: ISO/IEC 14496-12 and 23008-12; bitstream: AV1 specification, 5.3 to 5.5.
"""

import struct
from collections.abc import Iterator
from typing import Final

_SEQUENCE: Final = 1
_MOST: Final = 10_000
_INSIDE: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iinf", b"meta"}
# What stands before the boxes inside these.
_HEADS: Final = {b"meta": 4, b"iinf": 6}

Size = tuple[int, int]


class _Budget:
    """What one file may cost: what lies over each other in it counts as often as it is read."""

    def __init__(self, size: int) -> None:
        self._left = {"boxes": _MOST, "units": _MOST, "pieces": _MOST, "bytes": 2 * size}

    def spend(self, what: str, told: str, count: int = 1) -> None:
        self._left[what] -= count
        if self._left[what] < 0:
            raise ValueError(told)


class _Bits:
    """Reads numbers of some bits each."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("it ends inside its sequence header")
        return self._number >> self._left & ((1 << count) - 1)

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.take(1):
            zeros += 1
        self.take(min(zeros, 32))


def coded_sizes(data: bytes) -> Iterator[Size]:
    """Yield width and height of every picture in a file that decoding its first one may touch.

    Raises:
        ValueError: The file is damaged, or lays its data out in a way that is not read.
        LookupError, struct.error: A part is missing.
    """
    budget = _Budget(len(data))
    boxes = list(_boxes(data, budget))
    idat = b"".join(data[start:end] for kind, start, end in boxes if kind == b"idat")
    kinds = dict(_item_kinds(data, boxes))
    for kind, start, end in boxes:
        if kind == b"iloc":
            for item, content in list(_items(data, start, end, idat, budget)):
                if kinds.get(item) == b"av01":
                    yield from _bitstream_sizes(memoryview(content), budget)
                elif kinds.get(item) == b"grid":
                    yield _grid_size(content)
        elif kind in (b"stco", b"co64"):
            form, length = (">I", 4) if kind == b"stco" else (">Q", 8)
            if struct.unpack_from(">I", data, start + 4)[0]:
                (offset,) = struct.unpack_from(form, data[start + 8 : start + 8 + length])
                yield from _bitstream_sizes(memoryview(data)[offset:], budget, whole=False)


def _boxes(data: bytes, budget: _Budget) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, begin and end of the content of all boxes, those inside others too."""
    waiting = [(0, len(data))]
    while waiting:
        start, end = waiting.pop()
        while start + 8 <= end:
            budget.spend("boxes", f"it has more than {_MOST:,} boxes")
            size, kind = struct.unpack_from(">I4s", data, start)
            head = 8
            if size == 1:
                (size,) = struct.unpack_from(">Q", data, start + 8)
                head = 16
            close = end if size == 0 else start + size
            if not start + head <= close <= end:
                raise ValueError(f"it ends inside a box {kind!r}")
            yield kind, start + head, close
            if kind in _INSIDE:
                waiting.append((start + head + _HEADS.get(kind, 0), close))
            start = close


def _item_kinds(data: bytes, boxes: list[tuple[bytes, int, int]]) -> Iterator[tuple[int, bytes]]:
    for kind, start, end in boxes:
        if kind == b"infe":
            form = ">H2x4s" if data[start] == 2 else ">I2x4s"
            yield struct.unpack_from(form, data[start + 4 : end])


def _items(
    data: bytes, start: int, end: int, idat: bytes, budget: _Budget
) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each item that a box `iloc` places."""
    box = data[start:end]
    version = box[0]
    place = 4

    def number(size: int) -> int:
        nonlocal place
        if place + size > len(box):
            raise ValueError("it ends inside a box b'iloc'")
        place += size
        return int.from_bytes(box[place - size : place])

    sizes = number(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    for _ in range(number(4 if version == 2 else 2)):
        budget.spend("pieces", "it has too many items")
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        if method > 1:
            raise ValueError("an item is made of other items")
        source = idat if method else data
        number(2)
        base = number(base_size)
        content = bytearray()
        for _ in range(number(2)):
            budget.spend("pieces", "its items are in too many pieces")
            number(index_size)
            begin = base + number(offset_size)
            length = number(length_size) or len(source)
            budget.spend("bytes", "its items overlap", min(length, len(source)))
            content += source[begin : begin + length]
        yield item, bytes(content)


def _grid_size(content: bytes) -> Size:
    form = ">II" if content[1] & 1 else ">HH"
    width, height = struct.unpack_from(form, content, 4)
    return width, height


def _bitstream_sizes(content: memoryview, budget: _Budget, *, whole: bool = True) -> Iterator[Size]:
    """Yield the sizes of all sequence headers; of those at least one where `whole`."""
    place, found = 0, 0
    while place < len(content):
        budget.spend("units", f"its bitstream has more than {_MOST:,} units")
        head = content[place]
        place += 2 if head & 4 else 1
        size = len(content) - place
        if head & 2:
            size, place = _leb128(content, place)
        if head >> 3 & 15 == _SEQUENCE:
            found += 1
            yield _sequence_size(content[place : place + size])
        elif not whole and found:
            return
        place += size
    if not found:
        raise ValueError("its picture has no sequence header")


def _leb128(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        value |= (content[place + step] & 127) << 7 * step
        if content[place + step] < 128:
            return value, place + step + 1
    raise ValueError("a length has too many digits")


def _sequence_size(content: memoryview) -> Size:
    """Return the largest size of a frame by a sequence header."""
    bits = _Bits(bytes(content[:200]))
    take = bits.take
    take(4)  # profile, still picture
    reduced = take(1)
    if reduced:
        take(5)
    else:
        _skip_operating_points(bits)
    wide, high = take(4) + 1, take(4) + 1
    width, height = take(wide) + 1, take(high) + 1
    if not reduced and (wide, high) != (
        (width - 1).bit_length() or 1,
        (height - 1).bit_length() or 1,
    ):
        # A frame may name another size, of as many bits.
        return 1 << wide, 1 << high
    return width, height


def _skip_operating_points(bits: _Bits) -> None:
    take = bits.take
    delay = 0
    if take(1):  # timing
        take(64)
        if take(1):
            bits.skip_uvlc()
        if take(1):  # decoder model
            delay = take(5) + 1
            take(42)
    displayed = take(1)
    for _ in range(take(5) + 1):
        take(12)
        if take(5) > 7:
            take(1)
        if delay and take(1):
            take(2 * delay + 1)
        if displayed and take(1):
            take(4)
