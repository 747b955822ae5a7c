"""The basic encoding rules of ASN.1, as far as SS7 needs them: one element read, one element written.

       identifier octets          length octets                    contents
    | class(2) P/C(1) number(5) | 0nnnnnnn                      |  n octets
    |  31: goes on in base 128  | 1000nnnn and n octets of size |
    |                           | 10000000: up to 0000          |  indefinite, only when P/C is 1

A tag is its identifier octets read as one number (0x62, 0x9f38), so that it looks like the standard's own hex.
Bounds: tags of at most three octets, lengths of at most three, sixteen indefinite lengths within one another.
Source: ITU-T X.690 §8.1.
"""

from openceir.errors import OpenceirError

__all__ = ["InvalidBer", "read_element", "read_elements", "write_element"]

_MOST_NESTED = 16
_MOST_ELEMENTS = 64  # in one list; CheckIMEI needs five


class InvalidBer(OpenceirError):
    """Octets that are no element, or one beyond our bounds."""

    code = "ber-invalid"


def read_element(octets: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """The element at `at`: its tag, its contents, and where the next one begins.

    Raises: InvalidBer when it does not fit into `octets`.
    """
    try:
        tag, length = octets[at], octets[at + 1]
        if tag & 31 != 31 and length < 128:  # what nearly all are
            begin, end = at + 2, at + 2 + length
        else:
            tag, begin, length = _read_header(octets, at)
            if length < 0:
                end = _end_of_indefinite(octets, begin)
                return tag, octets[begin:end], end + 2
            end = begin + length
    except IndexError:
        raise InvalidBer("an element is cut short in its tag or length") from None
    if end > len(octets):
        raise InvalidBer(f"an element says that it has {length} octets; there are {len(octets) - begin}")
    return tag, octets[begin:end], end


def read_elements(contents: bytes) -> list[tuple[int, bytes]]:
    """All elements of the contents of a constructed one, as (tag, contents).

    Raises: InvalidBer when the last one does not end where the contents end, or there are too many.
    """
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(contents)
    while at < end:
        # What nearly all are, written out: four of five elements are read here, and a call costs as much as the reading.
        tag, begin = contents[at], at + 2
        if begin <= end and tag & 31 != 31 and (length := contents[at + 1]) < 128 and begin + length <= end:
            at = begin + length
            found.append((tag, contents[begin:at]))
        else:
            tag, inner, at = read_element(contents, at)
            found.append((tag, inner))
        if len(found) > _MOST_ELEMENTS:
            raise InvalidBer(f"more than {_MOST_ELEMENTS} elements in one list")
    return found


def write_element(tag: int, *contents: bytes) -> bytes:
    """An element with these contents, in the shortest definite form."""
    inner = b"".join(contents)
    size = len(inner)
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    if size < 128:
        return head + bytes((size,)) + inner
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return head + bytes((0x80 | len(length),)) + length + inner


def _read_header(octets: bytes, at: int) -> tuple[int, int, int]:
    """Tag, where the contents begin, and their length; -1 when it is indefinite."""
    tag = octets[at]
    at += 1
    if tag & 31 == 31:
        for _ in range(2):
            tag = tag << 8 | octets[at]
            at += 1
            if not tag & 0x80:
                break
        else:
            raise InvalidBer("a tag has more than three octets")
    length = octets[at]
    at += 1
    if length < 128:
        return tag, at, length
    size = length & 127
    if size == 0:
        constructed = tag >> (8 * ((tag.bit_length() + 7) // 8 - 1)) & 0x20 if tag else 0
        if not constructed:
            raise InvalidBer("a primitive element has no definite length")
        return tag, at, -1
    if size > 3:
        raise InvalidBer("a length has more than three octets")
    if at + size > len(octets):
        raise InvalidBer("an element is cut short in its length")
    return tag, at + size, int.from_bytes(octets[at : at + size], "big")


def _end_of_indefinite(octets: bytes, at: int) -> int:
    """Where the end-of-contents octets stand. A loop with a count and no recursion: depth is the sender's choice."""
    depth = 1
    while True:
        tag, begin, length = _read_header(octets, at)
        if tag == 0 and length == 0:
            depth -= 1
            if not depth:
                return at
            at = begin
        elif length < 0:
            depth += 1
            if depth > _MOST_NESTED:
                raise InvalidBer("too many indefinite lengths within one another")
            at = begin
        else:
            at = begin + length
