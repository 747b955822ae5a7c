"""Labels of made-up phones, and what light, hands and cameras do to a picture of one.

The codes are drawn by other people's encoders (python-barcode, segno, ppf.datamatrix), so that the decoder is not
asked to agree with itself. Everything follows from a seed.
"""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass

import barcode
import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from ppf.datamatrix import DataMatrix

from openceir.identity import format_imei

FINE = 8  # px a module when a label is drawn; it is shrunk to what the camera would see


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed on a label."""

    imeis: tuple[str, ...]
    serial: str


def a_label(dice: random.Random) -> Label:
    """Two IMEIs of a test TAC; a serial number that is no IMEI, in every other case one of fifteen digits."""
    first = dice.randrange(999_990)
    imeis = tuple(format_imei(f"00100100{first + step:06d}") for step in (0, 1))
    if dice.random() < 0.5:
        return Label(imeis, "R" + "".join(dice.choice("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(10)))
    digits = f"{dice.randrange(10**14):014d}"
    right = format_imei(digits)
    return Label(imeis, digits + str((int(right[-1]) + dice.randrange(1, 10)) % 10))


def draw(label: Label, px_per_module: float = 3.0, form: str = "code-128", aside: int = 0) -> Image.Image:
    """The label in black on white as a perfect camera sees it, whose pixels begin `aside` behind the label's edge.

    Units: pixels a module (the narrowest bar); eighths of a module.
    """
    image = _draw_bars(label) if form == "code-128" else _draw_matrix(label, form)
    image = image.crop((aside, aside, image.width, image.height))
    shrink = px_per_module / FINE
    return image.resize((round(image.width * shrink), round(image.height * shrink)), Image.Resampling.BOX)


def _draw_bars(label: Label) -> Image.Image:
    lines = [(f"IMEI{place}", imei) for place, imei in enumerate(label.imeis, 1)] + [("S/N", label.serial)]
    rows = [(name, text, barcode.get("code128", text).build()[0]) for name, text in lines]
    widest = max(len(bits) for _, _, bits in rows)
    image = Image.new("L", ((widest + 24) * FINE, (46 * len(rows) + 12) * FINE), 255)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=11 * FINE)
    for place, (name, text, bits) in enumerate(rows):
        top = (8 + 46 * place) * FINE
        for at, bit in enumerate(bits):
            if bit == "1":
                pen.rectangle(((12 + at) * FINE, top, (13 + at) * FINE - 1, top + 26 * FINE), fill=0)
        pen.text((12 * FINE, top + 28 * FINE), f"{name}: {text}", fill=0, font=font)
    return image


def _draw_matrix(label: Label, form: str) -> Image.Image:
    text = f"IMEI1:{label.imeis[0]};IMEI2:{label.imeis[1]};SN:{label.serial}"
    if form == "qr-code":
        matrix = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], dtype=np.uint8)
    else:
        matrix = np.array(DataMatrix(text).matrix, dtype=np.uint8)
    cells = np.pad(255 * (1 - matrix), 4, constant_values=255).astype(np.uint8)
    return Image.fromarray(np.kron(cells, np.ones((FINE, FINE), dtype=np.uint8)))


# ------------------------------------------------------------------------------------------------------------ the world

Change = Callable[[Image.Image, random.Random], Image.Image]
MODULE = 3.0  # px a module where a condition does not say another


def turned(most: float) -> Change:
    """Turned by up to `most` degrees either way, on a grey table."""
    return lambda image, dice: image.rotate(
        dice.uniform(-most, most), Image.Resampling.BICUBIC, expand=True, fillcolor=200
    )


def in_perspective(image: Image.Image, dice: random.Random) -> Image.Image:
    """Seen from aside: each corner moves inwards by up to 12 % of its side."""
    wide, high = image.size
    corners = [(0, 0), (0, high), (wide, high), (wide, 0)]
    moved = [
        (
            x + dice.uniform(0, 0.12) * wide * (1 if x == 0 else -1),
            y + dice.uniform(0, 0.12) * high * (1 if y == 0 else -1),
        )
        for x, y in corners
    ]
    rows, right = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    matrix = np.linalg.solve(np.array(rows, dtype=float), np.array(right, dtype=float))
    return image.transform(
        image.size, Image.Transform.PERSPECTIVE, tuple(matrix), Image.Resampling.BICUBIC, fillcolor=200
    )


def blurred(modules: float) -> Change:
    """Out of focus. Units: modules, one standard deviation."""
    return lambda image, dice: image.filter(ImageFilter.GaussianBlur(modules * MODULE))


def noisy(sigma: float) -> Change:
    """Grain of a dark room. Units: grey levels, one standard deviation."""

    def change(image: Image.Image, dice: random.Random) -> Image.Image:
        grain = np.random.default_rng(dice.randrange(2**32)).normal(0, sigma, (image.height, image.width))
        return _grey(np.asarray(image, dtype=float) + grain)

    return change


def in_glare(image: Image.Image, dice: random.Random) -> Image.Image:
    """A lamp mirrored in the film over the label."""
    wide, high = image.size
    across, down = np.meshgrid(np.arange(wide), np.arange(high))
    x, y, radius = dice.uniform(0, wide), dice.uniform(0, high), 0.1 * high
    spot = 350 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * radius**2))
    return _grey(np.asarray(image, dtype=float) + spot)


def pale(contrast: float) -> Change:
    """Of low contrast: black is nearly as light as white."""
    return lambda image, dice: _grey(128 + (np.asarray(image, dtype=float) - 128) * contrast)


def in_shadow(image: Image.Image, dice: random.Random) -> Image.Image:
    """A hand's shadow over half of it takes 85 % of the light, its edge soft."""
    wide, high = image.size
    across, down = np.meshgrid(np.linspace(-1, 1, wide), np.linspace(-1, 1, high))
    turn = dice.uniform(0, 2 * np.pi)
    light = 1 - 0.85 / (1 + np.exp(-(across * np.cos(turn) + down * np.sin(turn)) / 0.08))
    return _grey(np.asarray(image, dtype=float) * light)


def shaken(modules: float) -> Change:
    """The camera moved along the codes while it looked. Units: modules."""

    def change(image: Image.Image, dice: random.Random) -> Image.Image:
        steps = max(1, round(modules * MODULE))
        padded = np.pad(np.asarray(image, dtype=float), ((0, 0), (0, steps)), mode="edge")
        return _grey(sum(padded[:, at : at + image.width] for at in range(steps + 1)) / (steps + 1))

    return change


def squeezed(quality: int) -> Change:
    """Sent through a messenger as JPEG."""

    def change(image: Image.Image, dice: random.Random) -> Image.Image:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=quality)
        return Image.open(packed).convert("L")

    return change


def on_a_table(image: Image.Image, dice: random.Random) -> Image.Image:
    """A small part of a picture of many other things."""
    scene = np.random.default_rng(dice.randrange(2**32)).integers(0, 255, (9, 12)).astype(np.uint8)
    table = Image.fromarray(scene).resize((2 * image.width, 2 * image.height), Image.Resampling.BICUBIC)
    table.paste(image, (dice.randrange(image.width), dice.randrange(image.height)))
    return table


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def one_after_another(*changes: Change) -> Change:
    """Several of them."""

    def change(image: Image.Image, dice: random.Random) -> Image.Image:
        for each in changes:
            image = each(image, dice)
        return image

    return change


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to labels, and the least share of which both IMEIs must be read."""

    name: str
    floor: float
    px_per_module: float = MODULE
    change: Change = lambda image, dice: image


# A floor of nought is a condition under which nobody reads bars: it is measured, for it must give no false read either.
CONDITIONS = (
    Condition("clean, 3 px a module", 1.0),
    Condition("clean, 2 px a module", 1.0, 2.0),
    Condition("clean, 1.5 px a module", 1.0, 1.5),
    Condition("clean, 1.25 px a module", 0.97, 1.25),
    Condition("clean, 1 px a module", 0.0, 1.0),
    Condition("turned by any angle", 1.0, change=turned(180)),
    Condition("turned by up to 15 degrees", 1.0, change=turned(15)),
    Condition("perspective", 1.0, change=in_perspective),
    Condition("blur of 0.5 module", 1.0, change=blurred(0.5)),
    Condition("blur of 0.75 module", 0.0, change=blurred(0.75)),
    Condition("blur of 1 module", 0.0, change=blurred(1.0)),
    Condition("noise, sigma 25", 1.0, change=noisy(25)),
    Condition("glare", 0.78, change=in_glare),
    Condition("contrast of 25 %", 1.0, change=pale(0.25)),
    Condition("shadow of 85 %", 1.0, change=in_shadow),
    Condition("motion of 2 modules", 0.0, change=shaken(2)),
    Condition("JPEG of quality 20", 1.0, change=squeezed(20)),
    Condition("a quarter of the picture", 1.0, change=on_a_table),
    Condition(
        "hard mix", 0.0, 1.5,
        one_after_another(in_perspective, turned(30), blurred(0.3), noisy(15), pale(0.5), squeezed(40)),
    ),
)  # fmt: skip


def a_photo(condition: Condition, seed: int) -> tuple[Label, Image.Image]:
    """A label and the picture of it."""
    dice = random.Random(f"{condition.name} {seed}")
    label = a_label(dice)
    return label, condition.change(draw(label, condition.px_per_module, aside=dice.randrange(FINE)), dice)


def as_png(image: Image.Image) -> bytes:
    """The picture as a file that loses nothing."""
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()
