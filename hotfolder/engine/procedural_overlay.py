"""What lies on top of a procedural picture: the references as framed prints, and the honest caption."""

from __future__ import annotations

import unicodedata

from PIL import Image, ImageDraw, ImageFont

from hotfolder.engine.procedural_palette import Colour, mix

_PAPER = (250, 248, 243)
_DRAWABLE = frozenset(map(chr, range(32, 127))) | frozenset("©°±·“”…")
_LIKE = str.maketrans({"–": "-", "—": "-", "−": "-", "×": "x", "•": "·", "‘": "'", "’": "'"})  # noqa: RUF001


def strip_height_px(width_px: int, height_px: int, caption: bool) -> int:
    """Return how much of the bottom the caption takes: nothing when it is off."""
    if not caption:
        return 0
    size = _font_px(width_px, height_px)
    return round(size * 3.6) if height_px >= 192 else round(size * 1.7)


def draw_caption(
    canvas: Image.Image, prompt: str, facts: tuple[str, ...], colours: tuple[Colour, Colour]
) -> None:
    """Write prompt and facts into the strip; `facts` run from the longest wording to the shortest."""
    dark, light = colours
    strip = strip_height_px(canvas.width, canvas.height, True)
    size = _font_px(canvas.width, canvas.height)
    top, left = canvas.height - strip, round(size * 0.9)
    room = canvas.width - 2 * left
    font, small = _font(size), _font(max(8, round(size * 0.82)))
    draw = ImageDraw.Draw(canvas)
    ink, paper = mix(dark, (12, 12, 18), 0.55), mix(light, (255, 255, 255), 0.7)
    draw.rectangle([0, top, canvas.width, canvas.height], fill=ink)
    wording = _longest_that_fits(small, facts, room)
    quiet = mix(ink, paper, 0.66)
    if strip < 2.5 * size:
        draw.text((left, top + strip / 2), wording, font=small, fill=quiet, anchor="lm")
        return
    line = _shorten(font, drawable(prompt) or "(no prompt)", room)
    draw.text((left, top + round(strip * 0.36)), line, font=font, fill=paper, anchor="lm")
    draw.text((left, top + round(strip * 0.71)), wording, font=small, fill=quiet, anchor="lm")


def hang_references(canvas: Image.Image, references: tuple[Image.Image, ...], height_px: int) -> None:
    """Hang every reference as a framed print, in one row, or two when there are more than four."""
    if not references:
        return
    rows = 1 if len(references) <= 4 else 2
    columns = -(-len(references) // rows)
    unit = min(canvas.width, height_px)
    gap = max(2, round(unit * 0.03))
    cell_w = min((canvas.width * 0.9 - gap * (columns - 1)) / columns, unit * 0.46)
    cell_h = min((height_px * 0.72 - gap * (rows - 1)) / rows, unit * 0.46)
    for row in range(rows):
        prints = references[row * columns : (row + 1) * columns]
        framed = [_frame(image, cell_w, cell_h) for image in prints]
        x = (canvas.width - sum(print_.width for print_ in framed) - gap * (len(framed) - 1)) / 2
        middle = height_px * 0.47 + (row - (rows - 1) / 2) * (cell_h + gap)
        for print_ in framed:
            _hang(canvas, print_, round(x), round(middle - print_.height / 2))
            x += print_.width + gap


def drawable(text: str) -> str:
    """Return the text in the letters of the built-in font: accents fall off, other scripts become `?`."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()).translate(_LIKE))
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter in _DRAWABLE else "?" for letter in kept)


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # the other kind has no size
    return font


def _font_px(width_px: int, height_px: int) -> int:
    return max(8, round(min(width_px, height_px * 1.4) * 0.0215))


def _longest_that_fits(font: ImageFont.FreeTypeFont, wordings: tuple[str, ...], room_px: int) -> str:
    return next((text for text in wordings if font.getlength(text) <= room_px), wordings[-1])


def _shorten(font: ImageFont.FreeTypeFont, text: str, room_px: int) -> str:
    if font.getlength(text) <= room_px:
        return text
    kept = text[:400]
    while kept and font.getlength(kept + "…") > room_px:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _frame(image: Image.Image, cell_w: float, cell_h: float) -> Image.Image:
    border = max(1, round(min(cell_w, cell_h) * 0.035))
    scale = min((cell_w - 2 * border) / image.width, (cell_h - 2 * border) / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    framed = Image.new("RGB", (size[0] + 2 * border, size[1] + 2 * border), _PAPER)
    framed.paste(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0), (border, border))
    return framed


def _hang(canvas: Image.Image, framed: Image.Image, x: int, y: int) -> None:
    # The shadow is a small dark box enlarged eight times, which makes its edge soft.
    reach = max(2, round(min(framed.size) * 0.06))
    small = Image.new(
        "L", (max(4, (framed.width + 2 * reach) // 8), max(4, (framed.height + 2 * reach) // 8))
    )
    inset = max(1, reach // 8)
    small.paste(120, (inset, inset, small.width - inset, small.height - inset))
    shadow = small.resize((framed.width + 2 * reach, framed.height + 2 * reach), Image.Resampling.BICUBIC)
    canvas.paste((10, 10, 20), (x - reach, y - reach // 2), shadow)
    canvas.paste(framed, (x, y))
