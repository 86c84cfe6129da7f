"""Records: the bytes of TensorFlow's record files, those of many records of one length at once."""

import functools

import numpy as np

_CASTAGNOLI = 0x82F63B78


def framed(records: np.ndarray) -> np.ndarray:
    """uint8 `[records, length]` as a record file has them, `[records, length + 16]`; a length is at least 4.

    Before the bytes stand their number and its checksum, after them their own: CRC-32C, scrambled.
    """
    length = np.array([[records.shape[1]]], "<u8").view(np.uint8)
    head = np.hstack([length, _as_bytes(_scrambled(checksums(length)))])
    return np.hstack([np.tile(head, [len(records), 1]), records, _as_bytes(_scrambled(checksums(records)))])


def checksums(records: np.ndarray) -> np.ndarray:
    """Returns the CRC-32C of each of `[records, length]`, uint32 `[records]`.

    A checksum is the exclusive or of what each byte does to it, by its place. So those of records that have most of
    their bytes in common differ by what the others do.

    >>> hex(checksums(np.frombuffer(b"123456789", np.uint8)[None])[0])
    '0xe3069283'
    """
    first, effects = records[0].copy(), _effects(records.shape[1])
    first[:4] ^= 0xFF  # which is to start from a checksum of only ones
    of_first = np.bitwise_xor.reduce(effects[np.arange(len(first)), first]) ^ np.uint32(0xFFFFFFFF)
    changes = np.bitwise_xor(records, records[0])
    places = np.flatnonzero(changes.any(axis=0))
    return of_first ^ np.bitwise_xor.reduce(effects[places[:, None], changes[:, places].T], axis=0)


@functools.lru_cache(maxsize=8)
def _effects(length: int) -> np.ndarray:
    """uint32 `[length, 256]`: what a byte does to the checksum, by its place."""
    last = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        last = np.where(last & 1, last >> 1 ^ np.uint32(_CASTAGNOLI), last >> 1)
    effects = [last]
    while len(effects) < length:
        effects.append(last[effects[-1] & 0xFF] ^ effects[-1] >> 8)
    return np.stack(effects[::-1])


def _scrambled(checksums: np.ndarray) -> np.ndarray:
    """Masks a checksum as TensorFlow stores it: checksums of data that contain checksums would say little."""
    return (checksums >> 15 | checksums << 17) + np.uint32(0xA282EAD8)


def _as_bytes(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype("<u4")[:, None].view(np.uint8)
