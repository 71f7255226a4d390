"""Streams over all valid parameters of the codecs and headers that Sequester reads, decoded by it, by GDCM and by pydicom.

Usage: decoders.py make FOLDER | compare FOLDER OURS | fixture FILE; `scripts/decoders.sh` runs the first two. The third writes the
small set that `tests/it/generated_streams.rs` reads, `fixtures/reference-values/dicom/streams.json`. The encoders here are our own, written from
T.81, T.87 and PS3.5, because no library writes all parameters; what they were given is the truth where peers disagree. JPEG 2000 is
written by OpenJPEG through Pillow and imagecodecs.
"""

import base64
import hashlib
import itertools
import json
import pathlib
import select
import struct
import subprocess
import sys
import zlib

import numpy as np

SYNTAX = "1.2.840.10008.1.2"
IMPLICIT, EXPLICIT, BIG, DEFLATED = SYNTAX, f"{SYNTAX}.1", f"{SYNTAX}.2", f"{SYNTAX}.1.99"
BASELINE, EXTENDED, LOSSLESS, LOSSLESS_1, LS, LS_NEAR, J2K_LOSSLESS, J2K, RLE = (
    f"{SYNTAX}.{end}" for end in ("4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "5")
)


# DICOM files


def dicom(pixels, syntax, rows, columns, allocated, stored, high=None, signed=0, samples=1, photometric=b"MONOCHROME2", vr=None):
    """A file; `pixels` are the bytes of the native value, or a list of fragments."""
    explicit, order = syntax != IMPLICIT, ">" if syntax == BIG else "<"

    def element(group, number, vr, value, order=order, explicit=explicit):
        if isinstance(value, list):
            out = struct.pack(order + "HH", group, number) + (vr + b"\0\0" if explicit else b"") + b"\xff" * 4
            for fragment in [b""] + value:
                out += struct.pack(order + "HHI", 0xFFFE, 0xE000, len(fragment)) + fragment
            return out + struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)
        out = struct.pack(order + "HH", group, number)
        if not explicit:
            out += struct.pack(order + "I", len(value))
        elif vr in (b"OB", b"OW", b"UN"):
            out += vr + b"\0\0" + struct.pack(order + "I", len(value))
        else:
            out += vr + struct.pack(order + "H", len(value))
        return out + value

    def text(value, pad=b" "):
        return value + pad * (len(value) % 2)

    meta = element(2, 2, b"UI", text(b"1.2.840.10008.5.1.4.1.1.7", b"\0"), "<", True)
    meta += element(2, 3, b"UI", text(b"2.25.1", b"\0"), "<", True)
    meta += element(2, 0x10, b"UI", text(syntax.encode(), b"\0"), "<", True)
    front = b"\0" * 128 + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(meta)), "<", True) + meta
    short = lambda value: struct.pack(order + "H", value)
    data = element(8, 0x16, b"UI", text(b"1.2.840.10008.5.1.4.1.1.7", b"\0")) + element(8, 0x18, b"UI", text(b"2.25.1", b"\0"))
    data += element(0x28, 2, b"US", short(samples)) + element(0x28, 4, b"CS", text(photometric))
    if samples > 1:
        data += element(0x28, 6, b"US", short(0))
    data += element(0x28, 0x10, b"US", short(rows)) + element(0x28, 0x11, b"US", short(columns))
    data += element(0x28, 0x100, b"US", short(allocated)) + element(0x28, 0x101, b"US", short(stored))
    data += element(0x28, 0x102, b"US", short(stored - 1 if high is None else high)) + element(0x28, 0x103, b"US", short(signed))
    if isinstance(pixels, list):
        pixels = [text(fragment, b"\0") for fragment in pixels]
        data += element(0x7FE0, 0x10, b"OB", pixels)
    else:
        data += element(0x7FE0, 0x10, vr or (b"OW" if not explicit or allocated > 8 else b"OB"), text(pixels, b"\0"))
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        data = packer.compress(data) + packer.flush()
    return front + data


# Pictures


def picture(kind, rows, columns, bits, seed=0):
    """Values of so many bits: smooth, noise, and runs with the extremes."""
    random = np.random.default_rng([seed, rows, columns, bits, len(kind)])
    top = (1 << bits) - 1
    y, x = np.mgrid[0:rows, 0:columns]
    if kind == "noise":
        return random.integers(0, top + 1, (rows, columns))
    if kind == "flat":
        values = np.where((x // 5 + y // 3) % 3 == 0, top, 0)
        return np.where(random.random((rows, columns)) < 0.05, top // 2, values)
    smooth = (0.5 + 0.3 * np.sin(y / 5 + seed) + 0.2 * np.cos(x / 7)) * top + random.normal(0, top / 60, (rows, columns))
    return np.clip(np.rint(smooth), 0, top).astype(int)


class Bits:
    """The uppermost first; `stuff` is called with the last byte and gives how many bits the next one has."""

    def __init__(self, short_after_ones=False):
        self.out, self.held, self.count, self.short = bytearray(), 0, 0, short_after_ones

    def put(self, value, count):
        for place in range(count - 1, -1, -1):
            self.held, self.count = self.held << 1 | value >> place & 1, self.count + 1
            if self.count == 8:
                self.flush()

    def flush(self):
        self.out.append(self.held)
        ones = self.held == 0xFF
        self.held = self.count = 0
        if ones and self.short:
            self.count = 1
        elif ones:
            self.out.append(0)

    def pad(self, bit):
        while self.count:
            self.put(bit, 1)
            if self.short and self.count == 1 and self.out[-1] == 0xFF:
                break
        if self.short and self.count == 1:
            # A marker may not follow a byte of ones.
            while self.count:
                self.put(bit, 1)


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + bytes(body)


# T.81


def huffman(frequencies):
    """Lengths of codes of at most 16 bits for these symbols, none of them all ones: balanced, which is enough here."""
    symbols = sorted(frequencies, key=frequencies.get, reverse=True)
    lengths, room = [], 1.0
    for number, _ in enumerate(symbols):
        left = len(symbols) - number
        length = next(l for l in range(1, 17) if room - 2.0**-l >= left * 2.0**-16)
        length = max(length, lengths[-1] if lengths else 1)
        lengths.append(length)
        room -= 2.0**-length
    code, codes, last = 0, {}, lengths[0]
    for symbol, length in zip(symbols, lengths):
        code <<= length - last
        codes[symbol], last = (code, length), length
        code += 1
    counts = [lengths.count(length) for length in range(1, 17)]
    return codes, bytes(counts) + bytes(symbols)


def signed_bits(bits, value, size):
    bits.put(value if value >= 0 else value - 1 + (1 << size), size)


def lossless(samples, precision, predictor, point, lines, samplings=0x11, markers=b""):
    rows, columns = samples.shape
    kept = [[int(v) >> point for v in row] for row in samples]
    differences = []
    for y in range(rows):
        restarts = y == 0 or (lines and y % lines == 0)
        for x in range(columns):
            a = kept[y][x - 1] if x else None
            if restarts:
                predicted = 1 << (precision - point - 1) if a is None else a
            elif a is None:
                predicted = kept[y - 1][0]
            else:
                b, c = kept[y - 1][x], kept[y - 1][x - 1]
                predicted = [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor - 1]
            difference = (kept[y][x] - predicted + 0x8000) % 0x10000 - 0x8000
            differences.append(difference if difference != -0x8000 else 0x8000)
    sizes = [abs(difference).bit_length() for difference in differences]
    codes, table = huffman({size: sizes.count(size) for size in set(sizes)})
    frame = struct.pack(">BHHB", precision, rows, columns, 1) + bytes([1, samplings, 0])
    out = b"\xff\xd8" + markers + segment(0xC3, frame) + segment(0xC4, b"\0" + table)
    if lines:
        out += segment(0xDD, struct.pack(">H", lines * columns))
    out += segment(0xDA, bytes([1, 1, 0, predictor, 0, point]))
    bits, number = Bits(), 0
    for index, (difference, size) in enumerate(zip(differences, sizes)):
        if lines and index and index % (lines * columns) == 0:
            bits.pad(1)
            bits.out += bytes([0xFF, 0xD0 + number % 8])
            number += 1
        bits.put(*codes[size])
        if size < 16:
            signed_bits(bits, difference, size)
    bits.pad(1)
    return out + bytes(bits.out) + b"\xff\xd9", np.array(kept) << point


ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i % 8 if (i // 8 + i % 8) % 2 == 0 else i // 8)))
COSINES = np.array([[(0.5**0.5 if k == 0 else 1) / 2 * np.cos((2 * n + 1) * k * np.pi / 16) for k in range(8)] for n in range(8)])


def sequential(samples, precision, process, quality, restart, samplings=0x11, markers=b"", words=False, last=0):
    """One component by the DCT; the truth is the exact inverse of what was coded."""
    rows, columns = samples.shape
    table = np.clip(np.rint(np.fromfunction(lambda v, u: 3 + 2 * (u + v), (8, 8)) * quality), 1, 255).astype(int)
    padded = np.pad(samples, ((0, -rows % 8), (0, -columns % 8)), mode="edge") - (1 << (precision - 1))
    truth, blocks = np.zeros(padded.shape), []
    for top, left in itertools.product(range(0, padded.shape[0], 8), range(0, padded.shape[1], 8)):
        block = np.rint(COSINES.T @ padded[top : top + 8, left : left + 8] @ COSINES / table).astype(int)
        truth[top : top + 8, left : left + 8] = COSINES @ (block * table) @ COSINES.T
        blocks.append([int(block.flat[i]) for i in ZIGZAG])
    symbols, predicted = [], 0
    for index, block in enumerate(blocks):
        if restart and index % restart == 0:
            predicted = 0
        difference, predicted = block[0] - predicted, block[0]
        line, run = [(0, abs(difference).bit_length(), difference)], 0
        for value in block[1:]:
            if value == 0:
                run += 1
                continue
            while run > 15:
                line.append((1, 0xF0, 0))
                run -= 16
            line.append((1, run << 4 | abs(value).bit_length(), value))
            run = 0
        symbols.append(line + ([(1, 0, 0)] if run else []))
    codes, tables = {}, []
    for kind in (0, 1):
        used = [symbol for line in symbols for what, symbol, _ in line if what == kind] or [0]
        codes[kind], coded = huffman({symbol: used.count(symbol) for symbol in set(used)})
        tables.append(bytes([kind << 4 | last]) + coded)
    scaled = [int(table.flat[i]) for i in ZIGZAG]
    quantised = b"\x10" + struct.pack(">64H", *scaled) if words else b"\0" + bytes(scaled)
    out = b"\xff\xd8" + markers + segment(0xDB, quantised)
    out += segment(process, struct.pack(">BHHB", precision, rows, columns, 1) + bytes([1, samplings, 0]))
    out += segment(0xC4, b"".join(tables)) if words else segment(0xC4, tables[1]) + segment(0xC4, tables[0])
    if restart:
        out += segment(0xDD, struct.pack(">H", restart))
    out += segment(0xDA, bytes([1, 1, last << 4 | last, 0, 63, 0]))
    bits, number = Bits(), 0
    for index, line in enumerate(symbols):
        if restart and index and index % restart == 0:
            bits.pad(1)
            bits.out += bytes([0xFF, 0xD0 + number % 8])
            number += 1
        for kind, symbol, value in line:
            bits.put(*codes[kind][symbol])
            signed_bits(bits, value, symbol & 15 if kind else symbol)
    bits.pad(1)
    truth = np.clip(np.rint(truth + (1 << (precision - 1))), 0, (1 << precision) - 1).astype(int)
    return out + bytes(bits.out) + b"\xff\xd9", truth[:rows, :columns]


# T.87

RUNS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def thresholds(top, near):
    clamp = lambda value, least: least if value > top or value < least else value
    if top >= 128:
        factor = (min(top, 4095) + 128) // 256
        one = clamp(factor + 2 + 3 * near, near + 1)
        two = clamp(factor * 4 + 3 + 5 * near, one)
        return one, two, clamp(factor * 17 + 4 + 7 * near, two)
    factor = 256 // (top + 1)
    one = clamp(max(2, 3 // factor + 3 * near), near + 1)
    two = clamp(max(3, 7 // factor + 5 * near), one)
    return one, two, clamp(max(4, 21 // factor + 7 * near), two)


def jpeg_ls(samples, precision, near, preset=None, markers=b"", restart=0):
    """One component; `preset` is (MAXVAL, T1, T2, T3, RESET) with zeros for the defaults."""
    rows, columns = samples.shape
    given = preset or (0, 0, 0, 0, 0)
    top = given[0] or (1 << precision) - 1
    t1, t2, t3 = (value or default for value, default in zip(given[1:4], thresholds(top, near)))
    reset = given[4] or 64
    step = 2 * near + 1
    span = (top + 2 * near) // step + 1
    escape = (span - 1).bit_length()
    wide = max(2, top.bit_length())
    limit = 2 * (wide + max(8, wide))
    start = max(2, (span + 32) // 64)
    contexts = [[start, 0, 0, 1] for _ in range(365)]
    after = [[start, 1, 0], [start, 1, 0]]
    run_index, bits = 0, Bits(True)
    out = np.zeros((rows, columns), int)

    def region(gradient):
        size = abs(gradient)
        found = 0 if size <= near else 1 if size < t1 else 2 if size < t2 else 3 if size < t3 else 4
        return -found if gradient < 0 else found

    def golomb(value, k, limit):
        zeros = value >> k
        if zeros < limit - escape - 1:
            bits.put(1, zeros + 1)
            bits.put(value & ((1 << k) - 1), k)
        else:
            bits.put(1, limit - escape)
            bits.put(value - 1, escape)

    def parameter(count, total):
        k = 0
        while count << k < total:
            k += 1
        return k

    def quantised(error):
        return (error + near) // step if error > 0 else -((near - error) // step)

    def folded(error):
        error += span if error < 0 else 0
        return error - span if error >= (span + 1) // 2 else error

    def restored(predicted, error):
        value = predicted + error * step
        if value < -near:
            value += span * step
        elif value > top + near:
            value -= span * step
        return min(max(value, 0), top)

    above = [0] * (columns + 2)
    for y in range(rows):
        line = [above[1]] + [0] * (columns + 1)
        above[columns + 1] = above[columns]
        x = 1
        while x <= columns:
            a, b, c, d = line[x - 1], above[x], above[x - 1], above[x + 1]
            gradients = (d - b, b - c, c - a)
            if any(abs(g) > near for g in gradients):
                index = 81 * region(gradients[0]) + 9 * region(gradients[1]) + region(gradients[2])
                sign, index = (-1 if index < 0 else 1), abs(index)
                context = contexts[index]
                edge = min(a, b) if c >= max(a, b) else max(a, b) if c <= min(a, b) else a + b - c
                predicted = min(max(edge + sign * context[2], 0), top)
                raw = int(samples[y][x - 1]) - predicted
                error = folded(quantised(sign * raw))
                k = parameter(context[3], context[0])
                if near == 0 and k == 0 and 2 * context[1] <= -context[3]:
                    mapped = 2 * error + 1 if error >= 0 else -2 * (error + 1)
                else:
                    mapped = 2 * error if error >= 0 else -2 * error - 1
                golomb(mapped, k, limit)
                line[x] = restored(predicted, sign * error)
                context[1] += error * step
                context[0] += abs(error)
                if context[3] == reset:
                    context[0], context[1], context[3] = context[0] >> 1, context[1] >> 1, context[3] >> 1
                context[3] += 1
                if context[1] <= -context[3]:
                    context[1] = max(context[1] + context[3], 1 - context[3])
                    context[2] = max(context[2] - 1, -128)
                elif context[1] > 0:
                    context[1] = min(context[1] - context[3], 0)
                    context[2] = min(context[2] + 1, 127)
                x += 1
                continue
            length = 0
            while x + length <= columns and abs(int(samples[y][x + length - 1]) - a) <= near:
                line[x + length] = a
                length += 1
            ends = x + length > columns
            x += length
            while length >= 1 << RUNS[run_index]:
                bits.put(1, 1)
                length -= 1 << RUNS[run_index]
                run_index = min(run_index + 1, 31)
            if ends:
                if length:
                    bits.put(1, 1)
                break
            bits.put(0, 1)
            bits.put(length, RUNS[run_index])
            b = above[x]
            alike = abs(a - b) <= near
            predicted, sign = (a, 1) if alike else (b, -1 if a > b else 1)
            error = folded(quantised(sign * (int(samples[y][x - 1]) - predicted)))
            line[x] = restored(predicted, sign * error)
            total, count, negative = after[alike]
            k = parameter(count, total + (count >> 1 if alike else 0))
            mapping = (k == 0 and error > 0 and 2 * negative < count) or (error < 0 and (2 * negative >= count or k != 0))
            mapped = 2 * abs(error) - int(alike) - int(mapping)
            golomb(mapped, k, limit - RUNS[run_index] - 1)
            negative += error < 0
            total += (mapped + 1 - int(alike)) >> 1
            if count == reset:
                total, count, negative = total >> 1, count >> 1, negative >> 1
            after[alike] = [total, count + 1, negative]
            run_index = max(run_index - 1, 0)
            x += 1
        out[y] = line[1 : columns + 1]
        above = line
    bits.pad(0)
    head = b"\xff\xd8" + markers + segment(0xF7, struct.pack(">BHHB", precision, rows, columns, 1) + b"\x01\x11\0")
    if preset:
        head += segment(0xF8, struct.pack(">B5H", 1, *preset))
    if restart:
        head += segment(0xDD, struct.pack(">H", restart))
    return head + segment(0xDA, bytes([1, 1, 0, near, 0, 0])) + bytes(bits.out) + b"\xff\xd9", out


# RLE (PS3.5, annex G)


def rle(planes, whole_rows, columns):
    """Each row packed alone, or runs across rows."""
    packed = []
    for plane in planes:
        parts = [plane[i : i + columns] for i in range(0, len(plane), columns)] if whole_rows else [plane]
        out = bytearray()
        for part in parts:
            at = 0
            while at < len(part):
                run = 1
                while at + run < len(part) and run < 128 and part[at + run] == part[at]:
                    run += 1
                if run > 1:
                    out += bytes([257 - run, part[at]])
                    at += run
                    continue
                end = at + 1
                while end < len(part) and end - at < 128 and (end + 1 >= len(part) or part[end] != part[end + 1]):
                    end += 1
                out += bytes([end - at - 1]) + part[at:end]
                at = end
        packed.append(bytes(out) + b"\0" * (len(out) % 2))
    offsets, place = [], 64
    for plane in packed:
        offsets.append(place)
        place += len(plane)
    return struct.pack("<16I", len(packed), *offsets, *[0] * (15 - len(packed))) + b"".join(packed)


# The streams


def two_complement(values, bits):
    """The same bits read with a sign."""
    return values - ((values >> (bits - 1)) & 1) * (1 << bits)


def streams():
    """Kind, name, file, the stored values or None where it has to be refused, and by how much a value may differ."""
    form = lambda bits: 8 if bits <= 8 else 16
    for precision in range(2, 17):
        for predictor, (point, lines, kind) in itertools.product(
            range(1, 8), [(0, 0, "smooth"), (0, 1, "noise"), (1, 0, "noise"), (precision // 2, 2, "smooth"), (precision - 1, 3, "flat")]
        ):
            values = picture(kind, 11, 13, precision, predictor)
            stream, truth = lossless(values, precision, predictor, point, lines)
            signed = (precision + predictor) % 3 == 0
            truth = two_complement(truth, precision) if signed else truth
            syntax = LOSSLESS_1 if predictor == 1 and precision % 2 else LOSSLESS
            name = f"{precision}-{predictor}-{point}-{lines}-{kind}"
            file = dicom([stream], syntax, 11, 13, form(precision), precision, signed=int(signed))
            yield "JPEG lossless", name, file, truth, 0
    for lines, size in itertools.product((1, 2, 9), ((1, 1), (1, 40), (40, 1), (2, 3), (30, 5))):
        stream, truth = lossless(picture("smooth", *size, 12, lines), 12, 1, 0, lines, 0x22, segment(0xE0, b"JFIF\0") + b"\xff\xff")
        yield "JPEG lossless", f"size-{size[0]}x{size[1]}-{lines}", dicom([stream], LOSSLESS_1, *size, 16, 12), truth, 0
    stream, truth = lossless(picture("smooth", 8, 8, 12), 12, 1, 0, 2)
    cut = len(stream) // 4 * 2
    for name, pieces in (("fragments", [stream[:cut], stream[cut:]]), ("padded", [stream + b"\0" * 7])):
        yield "JPEG lossless", name, dicom(pieces, LOSSLESS, 8, 8, 16, 12), truth, 0
    # More bits than are stored, with and without a sign that is repeated above them.
    values = picture("smooth", 9, 9, 12)
    stream, truth = lossless(values, 16, 1, 0, 0)
    yield "JPEG lossless", "16-of-12", dicom([stream], LOSSLESS, 9, 9, 16, 12), truth, 0
    stream, _ = lossless(two_complement(values, 12) & 0xFFFF, 16, 6, 0, 3)
    yield "JPEG lossless", "16-of-12-signed", dicom([stream], LOSSLESS, 9, 9, 16, 12, signed=1), two_complement(values, 12), 0
    stream, _ = lossless(picture("noise", 9, 9, 16), 16, 1, 0, 0)
    yield "to be refused", "lossless-above-high-bit", dicom([stream], LOSSLESS, 9, 9, 16, 12), None, 0
    broken = segment(0xDD, struct.pack(">H", 5))
    stream, _ = lossless(values, 12, 1, 0, 0, markers=broken)
    yield "to be refused", "lossless-restart-inside-a-line", dicom([stream], LOSSLESS, 9, 9, 16, 12), None, 0

    options = itertools.product((8, 12), (0.3, 1, 4), (0, 1, 3), ((16, 16), (13, 21), (1, 1), (7, 40)), ("smooth", "noise", "flat"))
    for number, (precision, quality, restart, size, kind) in enumerate(options):
        process = 0xC0 if precision == 8 and number % 2 else 0xC1
        extra = segment(0xFE, b"a comment") + b"\xff" if number % 4 == 0 else b""
        stream, truth = sequential(
            picture(kind, *size, precision, number), precision, process, quality, restart, (0x11, 0x22, 0x41)[number % 3], extra,
            words=process == 0xC1 and number % 5 == 0, last=number % 2,
        )
        syntax = BASELINE if process == 0xC0 else EXTENDED
        name = f"{precision}-{quality}-{restart}-{size[0]}x{size[1]}-{kind}"
        yield f"JPEG of {precision} bits", name, dicom([stream], syntax, *size, form(precision), precision), truth, 1
    yield from foreign_jpeg()

    for precision in range(2, 17):
        top = (1 << precision) - 1
        nears = sorted({0, 1, 2, min(5, top // 2), min(255, top // 2)} & set(range(top // 2 + 1)))
        presets = [None, (0, 0, 0, 0, 0), (0, 0, 0, 0, 3), (top, 0, 0, 0, 31)]
        for near, preset, kind in itertools.product(nears, presets, ("smooth", "noise", "flat")):
            values = picture(kind, 12, 17, precision, near)
            own = preset
            if preset == presets[3] and top > 4 * near + 8:
                own = (top, near + 2, near + 3, 2 * near + 5, 31)
            elif preset == presets[2] and top > 20 + 2 * near:
                # MAXVAL below what the precision holds.
                own = (top - 3, 0, 0, 0, 7)
                values = np.minimum(values, top - 3)
            stream, truth = jpeg_ls(values, precision, near, own)
            signed = (precision + near) % 4 == 1 and near == 0
            truth = two_complement(truth, precision) if signed else truth
            name = f"{precision}-{near}-{presets.index(preset)}-{kind}"
            file = dicom([stream], LS_NEAR if near else LS, 12, 17, form(precision), precision, signed=int(signed))
            yield "JPEG-LS", name, file, truth, 0
    for size in ((1, 1), (1, 50), (50, 1), (3, 700)):
        stream, truth = jpeg_ls(picture("flat", *size, 12), 12, 0, markers=segment(0xE8, b"x") + b"\xff")
        yield "JPEG-LS", f"size-{size[0]}x{size[1]}", dicom([stream], LS, *size, 16, 12), truth, 0
    stream, _ = jpeg_ls(picture("flat", 4, 4, 8), 8, 0, restart=2)
    yield "to be refused", "jpeg-ls-restart", dicom([stream], LS, 4, 4, 8, 8), None, 0
    stream, _ = jpeg_ls(picture("noise", 4, 4, 16), 16, 0)
    yield "to be refused", "jpeg-ls-above-high-bit", dicom([stream], LS, 4, 4, 16, 12), None, 0
    yield from jpeg_2000()

    for allocated, kind, whole_rows in itertools.product((8, 16, 32), ("smooth", "noise", "flat"), (True, False)):
        for stored, signed, size in ((allocated, 0, (9, 11)), (allocated, 1, (1, 300)), (allocated - 3, 1, (7, 4))):
            values = picture(kind, *size, min(stored, 31), stored)
            planes = [((values >> shift) & 255).astype("uint8").tobytes() for shift in range(allocated - 8, -1, -8)]
            file = dicom([rle(planes, whole_rows, size[1])], RLE, *size, allocated, stored, signed=signed)
            name = f"{allocated}-{stored}-{signed}-{kind}-{whole_rows}"
            yield "RLE", name, file, two_complement(values, stored) if signed else values, 0
    yield from native()


def native():
    names = {IMPLICIT: "implicit", EXPLICIT: "explicit", BIG: "big", DEFLATED: "deflated"}
    for syntax, allocated in itertools.product(names, (1, 8, 16, 32)):
        for stored in {1: (1,), 8: (1, 5, 8), 16: (9, 12, 16), 32: (17, 24, 32)}[allocated]:
            for high, signed in itertools.product({stored - 1, (stored + allocated) // 2 - 1, allocated - 1}, (0, 1)):
                if allocated == 1 and signed:
                    continue
                size = (5, 7) if allocated == 8 else (6, 5)
                values = picture("noise", *size, stored, high)
                # Noise in the bits that are not stored, as overlays once had it.
                shift, mask = high + 1 - stored, ((1 << stored) - 1) << (high + 1 - stored)
                samples = (values << shift) | (picture("noise", *size, allocated, 7) & ~mask)
                flat = samples.reshape(-1)
                if allocated == 1:
                    pixels = np.packbits(flat.astype("uint8"), bitorder="little").tobytes()
                    pixels += b"\0" * (len(pixels) % 2)
                else:
                    order = ">" if syntax == BIG else "<"
                    pixels = flat.astype(f"{order}u{allocated // 8}").tobytes()
                    pixels += b"\0" * (len(pixels) % 2)
                for vr in {b"OW"} if syntax == IMPLICIT or allocated > 8 else {b"OB", b"OW"}:
                    swapped = pixels
                    if syntax == BIG and vr == b"OW" and allocated <= 8:
                        swapped = np.frombuffer(pixels, "<u2").astype(">u2").tobytes()
                    truth = two_complement(values, stored) if signed else values
                    file = dicom(swapped, syntax, *size, allocated, stored, high, signed, vr=vr)
                    name = f"{names[syntax]}-{allocated}-{stored}-{high}-{signed}-{vr.decode()}"
                    yield "native", name, file, truth, 0


def foreign_jpeg():
    import io

    import imagecodecs
    import PIL.Image

    random = picture("smooth", 24, 40, 8)
    grey = PIL.Image.fromarray(random.astype("uint8"))
    for name, options in (
        ("restart-blocks", {"restart_marker_blocks": 2}), ("restart-rows", {"restart_marker_rows": 1}), ("optimised", {"optimize": True}),
        ("worst", {"quality": 1}), ("best", {"quality": 100}),
    ):
        out = io.BytesIO()
        grey.save(out, "JPEG", **options)
        truth = np.asarray(PIL.Image.open(io.BytesIO(out.getvalue())))
        yield "JPEG of 8 bits", f"libjpeg-{name}", dicom([out.getvalue()], BASELINE, 24, 40, 8, 8), truth, 1
    out = io.BytesIO()
    grey.save(out, "JPEG", progressive=True)
    yield "to be refused", "progressive", dicom([out.getvalue()], BASELINE, 24, 40, 8, 8), None, 0
    colours = PIL.Image.merge("RGB", [grey, grey.rotate(180), grey])
    for sampling, keep in ((0, False), (0, True), (1, False), (2, False)):
        out = io.BytesIO()
        colours.save(out, "JPEG", subsampling=sampling, keep_rgb=keep)
        for samples, photometric in ((3, b"YBR_FULL_422"), (3, b"YBR_FULL"), (3, b"RGB"), (1, b"MONOCHROME2")):
            name = f"colour-{sampling}-{keep}-{photometric.decode()}"
            file = dicom([out.getvalue()], BASELINE, 24, 40, 8, 8, samples=samples, photometric=photometric)
            yield "to be refused", name, file, None, 0
    rgb = np.asarray(colours)
    for name, syntax, stream in (
        ("lossless", LOSSLESS, imagecodecs.jpeg8_encode(rgb, lossless=True)),
        ("jpeg-ls", LS, imagecodecs.jpegls_encode(rgb)),
        ("jpeg-2000", J2K_LOSSLESS, imagecodecs.jpeg2k_encode(rgb, reversible=True, codecformat="j2k")),
    ):
        for samples, photometric in ((3, b"RGB"), (1, b"MONOCHROME2")):
            file = dicom([stream], syntax, 24, 40, 8, 8, samples=samples, photometric=photometric)
            yield "to be refused", f"colour-{name}-{samples}", file, None, 0


def jpeg_2000():
    import io

    import imagecodecs
    import PIL.Image

    for bits, signed, kind in itertools.product(range(2, 17), (False, True), ("smooth", "noise", "flat")):
        for reversible in (True, False):
            values = picture(kind, 37, 45, bits, 3)
            values = two_complement(values, bits) if signed else values
            kind_of = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
            options = {"reversible": True} if reversible else {"reversible": False, "level": 45}
            options |= {"codecformat": "j2k" if bits % 2 else "jp2", "bitspersample": bits}
            stream = imagecodecs.jpeg2k_encode(values.astype(kind_of), **options)
            truth = values if reversible else imagecodecs.jpeg2k_decode(stream).astype(int)
            file = dicom([stream], J2K_LOSSLESS if reversible else J2K, 37, 45, 8 if bits <= 8 else 16, bits, signed=int(signed))
            name = f"{bits}-{'signed' if signed else 'unsigned'}-{kind}"
            # Both decoders work in single precision.
            tolerance = 0 if reversible else 1 if bits < 15 else 4
            yield f"JPEG 2000 {'reversible' if reversible else 'irreversible'}", name, file, truth, tolerance
    for progression, resolutions, tile, blocks, layers, precincts in itertools.product(
        ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL"), (1, 3, 6), (None, (32, 24)), ((64, 64), (4, 16)), (None, [40, 8, 1]), (None, (32, 32))
    ):
        values = picture("smooth", 61, 83, 8)
        options = {"progression": progression, "num_resolutions": resolutions, "codeblock_size": blocks, "irreversible": False}
        options |= {"tile_size": tile} if tile else {}
        options |= {"quality_mode": "rates", "quality_layers": layers} if layers else {}
        options |= {"precinct_size": precincts} if precincts and resolutions > 1 else {}
        out = io.BytesIO()
        try:
            PIL.Image.fromarray(values.astype("uint8")).save(out, "JPEG2000", no_jp2=True, **options)
        except OSError:  # OpenJPEG does not write every combination
            continue
        truth = np.asarray(PIL.Image.open(io.BytesIO(out.getvalue()))).astype(int)
        name = f"{progression}-{resolutions}-{tile}-{blocks[0]}-{layers is not None}-{precincts is not None}".replace(" ", "")
        yield "JPEG 2000 structure", name, dicom([out.getvalue()], J2K_LOSSLESS, 61, 83, 8, 8), truth, 0


# Comparison


def make(folder):
    count = 0
    for kind, name, file, truth, tolerance in streams():
        path = folder / kind / f"{name}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists(), path
        path.write_bytes(file)
        known = {"values": None if truth is None else [int(v) for v in np.asarray(truth).reshape(-1)], "tolerance": tolerance}
        path.with_suffix(".json").write_text(json.dumps(known))
        count += 1
    print(f"{count} streams", file=sys.stderr)


# Of each kind every so many streams.
IN_FIXTURE = {"JPEG lossless": 23, "JPEG of 8 bits": 19, "JPEG of 12 bits": 19, "JPEG-LS": 37, "native": 19, "RLE": 9, "to be refused": 1}
IN_FIXTURE |= {"JPEG 2000 reversible": 11, "JPEG 2000 irreversible": 29, "JPEG 2000 structure": 29}


def fixture(path):
    seen, chosen = {}, []
    for kind, name, file, truth, tolerance in streams():
        seen[kind] = seen.get(kind, -1) + 1
        if seen[kind] % IN_FIXTURE[kind]:
            continue
        one = {"name": f"{kind}/{name}", "file": base64.b64encode(file[132:]).decode(), "tolerance": tolerance}
        values = None if truth is None else np.asarray(truth).reshape(-1)
        if values is not None and tolerance == 0:
            one["values_sha256"] = hashlib.sha256(values.astype("<i8").tobytes()).hexdigest()
        else:
            one["values"] = None if values is None else [int(value) for value in values]
        chosen.append(json.dumps(one))
    about = "Written by scripts/decoders.py; files without the 132 bytes of their preamble, in base64; the digest is that of the values as <i8."
    path.write_text(f'{{"about": {json.dumps(about)},\n"streams": [\n' + ",\n".join(chosen) + "\n]}\n")


def with_gdcm(path):
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        raise ValueError("not read")
    image = reader.GetImage()
    form = image.GetPixelFormat()
    bytes_ = image.GetBuffer().encode("utf-8", errors="surrogateescape")
    width = form.GetBitsAllocated() // 8
    samples = np.frombuffer(bytes_, f"<u{width}").astype(np.int64)
    stored, high = form.GetBitsStored(), form.GetHighBit()
    samples = (samples >> (high + 1 - stored)) & ((1 << stored) - 1)
    return two_complement(samples, stored) if form.GetPixelRepresentation() else samples


def with_pydicom(path):
    import pydicom

    data = pydicom.dcmread(path)
    stored, high = data.BitsStored, data.HighBit
    samples = data.pixel_array.astype(np.int64).reshape(-1)
    if data.BitsAllocated == 1:
        return samples
    samples = (samples >> (high + 1 - stored)) & ((1 << stored) - 1)
    return two_complement(samples, stored) if data.PixelRepresentation else samples


def verdict(values, known):
    if known["values"] is None:
        return "read"
    truth = np.array(known["values"])
    if len(values) != len(truth):
        return "differs"
    worst = int(np.abs(np.asarray(values) - truth).max())
    return "equal" if worst == 0 else "within" if worst <= known["tolerance"] else "differs"


PEERS = {"GDCM": with_gdcm, "pydicom": with_pydicom}


class Peer:
    """A peer in a process of its own: some streams end it, or keep it busy without end."""

    def __init__(self, name):
        self.name, self.process = name, None

    def decode(self, path):
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-W", "ignore", __file__, "peer", self.name]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        answers, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if answers else ""
        if not line:
            self.process.kill()
            self.process.wait()
            return None
        return json.loads(line)


def peer(name):
    for path in map(str.strip, sys.stdin):
        try:
            values = [int(value) for value in PEERS[name](path)]
        except Exception:  # a peer may fail in any way
            values = None
        print(json.dumps(values), flush=True)


def compare(folder, ours):
    found, wrong = {}, []
    own = {line["file"]: line for line in map(json.loads, open(ours))}
    peers = [Peer(name) for name in PEERS]
    for path in sorted(folder.glob("*/*.dcm")):
        known = json.loads(path.with_suffix(".json").read_text())
        kind = path.parent.name
        line = own[str(path)]
        said = {"Sequester": "refused" if "code" in line else verdict(line["values"], known)}
        for one in peers:
            values = one.decode(path)
            said[one.name] = "refused" if values is None else verdict(values, known)
        for who, what in said.items():
            found.setdefault((kind, who), []).append(what)
        allowed = ("refused",) if known["values"] is None else ("equal", "within")
        if said["Sequester"] not in allowed:
            wrong.append(f"{kind}/{path.stem}: {said} {line.get('code', '')} {line.get('message', '')}")
    print("| streams | by | equal | within | differs | refused |\n|---|---|---|---|---|---|")
    for (kind, who), said in found.items():
        read = said.count("differs") + said.count("read")
        name = f"{kind} ({len(said)})" if who == "Sequester" else ""
        print(f"| {name} | {who} | {said.count('equal')} | {said.count('within')} | {read} | {said.count('refused')} |")
    print("\n".join(["WRONG:"] + wrong) if wrong else "no stream is wrong", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        make(pathlib.Path(folder))
    elif command == "fixture":
        fixture(pathlib.Path(folder))
    elif command == "peer":
        peer(folder)
    else:
        sys.exit(compare(pathlib.Path(folder), *rest))
