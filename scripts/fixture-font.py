#!/usr/bin/env python3
"""Writes fixtures/fonts/two-signs.ttf: squares in the place of the characters U+80BA and U+708E, for tests of fonts that a user
names. Needs fontTools; the bytes depend on its version alone. Usage: scripts/fixture-font.py"""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen


def square(side):
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in [(100, side), (900, side), (900, 0)]:
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


font = FontBuilder(1000, isTTF=True)
names = [".notdef", "lung", "inflammation"]
font.setupGlyphOrder(names)
font.setupCharacterMap({0x80BA: "lung", 0x708E: "inflammation"})
font.setupGlyf(dict(zip(names, [square(100), square(800), square(400)])))
font.setupHorizontalMetrics({name: (1000, 100) for name in names})
font.setupHorizontalHeader(ascent=880, descent=-120)
font.setupNameTable({"familyName": "Two Signs", "styleName": "Regular", "psName": "TwoSigns-Regular"})
font.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=880, usWinDescent=120)
font.setupPost()
font.font["head"].created = font.font["head"].modified = 0
font.font.recalcTimestamp = False
font.save(Path(__file__).parent.parent / "fixtures/fonts/two-signs.ttf")
