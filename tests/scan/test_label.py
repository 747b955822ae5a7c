"""Photos of labels: what must be read, and that nothing else is."""

import io
import random

import numpy as np
import pytest
from PIL import Image
from tests.scan.a_label import CONDITIONS, Condition, a_label, a_photo, as_png, draw

from openceir.scan import OcrAbsent, PictureLimits, PictureRefused, PrintedText, ocr_is_installed, read_grey, read_label

EACH = 12  # photos a condition here; the benchmark takes 40


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_both_imeis_are_read_as_often_as_the_condition_allows_and_nothing_else_ever(condition: Condition):
    """The floors are what this chain of looks reached before, on other photos of the same conditions."""
    both = 0
    for seed in range(EACH):
        label, image = a_photo(condition, seed)
        read = {each.canonical for each in read_grey(np.asarray(image))}
        assert read <= set(label.imeis), f"a false read: photo {seed}"
        both += read == set(label.imeis)
    assert both >= int(condition.floor * EACH), f"{both} of {EACH}"


@pytest.mark.parametrize("form", ["qr-code", "data-matrix"])
@pytest.mark.parametrize("turn", [0, 90, 30, 180])
def test_squares_are_read_however_they_are_turned(form: str, turn: int):
    label = a_label(random.Random(turn))
    image = draw(label, 4, form).rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    found = read_label(as_png(image))
    assert {each.canonical for each in found} == set(label.imeis)
    assert {each.read_from for each in found} == {form}


def test_a_number_that_fails_the_luhn_test_is_not_given():
    wrong = a_label(random.Random(1))
    wrong = type(wrong)((wrong.imeis[0][:14] + str((int(wrong.imeis[0][14]) + 1) % 10), wrong.imeis[1]), wrong.serial)
    assert {each.canonical for each in read_label(as_png(draw(wrong)))} == {wrong.imeis[1]}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_three_kinds_of_picture_are_read_and_told_by_their_content(form: str):
    label = a_label(random.Random(2))
    packed = io.BytesIO()
    draw(label).save(packed, form)
    assert {each.canonical for each in read_label(packed.getvalue())} == set(label.imeis)


def test_a_photo_that_its_camera_calls_turned_is_set_upright_and_see_through_is_white():
    label = a_label(random.Random(3))
    image = draw(label).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    packed = io.BytesIO()
    image.save(packed, "JPEG", exif=exif)
    assert {each.canonical for each in read_label(packed.getvalue())} == set(label.imeis)
    black = Image.new("RGBA", draw(label).size, (0, 0, 0, 0))
    black.putalpha(draw(label).point(lambda grey: 255 - grey))
    assert {each.canonical for each in read_label(as_png(black))} == set(label.imeis)


def test_a_bomb_is_refused_by_its_header():
    """20,000 x 20,000 pixels of nothing pack into some kilobytes; unpacked they would be 400 MB."""
    packed = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(packed, "PNG")
    assert len(packed.getvalue()) < 100_000
    with pytest.raises(PictureRefused, match="pixels"):
        read_label(packed.getvalue())
    with pytest.raises(PictureRefused, match="the most is 10 in all"):
        read_label(as_png(Image.new("L", (4, 4))), limits=PictureLimits(pixels=10))
    with pytest.raises(PictureRefused, match="octets"):
        read_label(b"\xff\xd8\xff" + bytes(100), limits=PictureLimits(octets=50))


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"GIF89a", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WAVE", b"PK\3\4",
        b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8 ",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_with_a_sentence(octets: bytes):
    with pytest.raises(PictureRefused, match="photo"):
        read_label(octets)


def test_a_picture_cut_short_anywhere_is_read_or_refused():
    whole = as_png(draw(a_label(random.Random(4)), 1.0))
    for end in range(0, len(whole), 97):
        with pytest.raises(PictureRefused):
            read_label(whole[:end])


def test_a_picture_without_bars_gives_nothing():
    for grey in (np.zeros((5, 5)), np.full((300, 300), 128), np.tile(np.arange(256), (200, 1))):
        assert read_grey(grey.astype(np.uint8)) == ()


class TwoLines:
    """Print as an engine would hand it over."""

    def __init__(self, *lines: str) -> None:
        self.asked, self.read = 0, lines

    def lines(self, grey: object) -> tuple[str, ...]:
        """What was given."""
        self.asked += 1
        return self.read


def test_print_is_read_only_where_codes_gave_fewer_than_two():
    label = a_label(random.Random(5))
    engine = TwoLines()
    read_label(as_png(draw(label)), ocr=engine)
    assert engine.asked == 0
    engine = TwoLines(
        "IMEI1: OO1OO1000000015", "S/N: 001001000000023", "IMEI2 001001000000031 ", "IMEI 001001000000032"
    )
    found = read_grey(np.full((80, 80), 255, dtype=np.uint8), ocr=engine)
    assert [(each.canonical, each.read_from) for each in found] == [
        ("001001000000015", "print"), ("001001000000031", "print"),
    ]  # fmt: skip


def test_without_its_packages_the_reader_of_print_says_how_to_get_them():
    if ocr_is_installed():
        pytest.skip("openceir[ocr] is installed here")
    with pytest.raises(OcrAbsent, match="openceir"):
        PrintedText()


def test_a_label_that_bars_cannot_tell_is_read_by_its_print():
    if not ocr_is_installed():
        pytest.skip("openceir[ocr] is not installed here; it takes 390 MB")
    blurred = next(each for each in CONDITIONS if each.name == "blur of 0.75 module")
    label, image = a_photo(blurred, 0)
    assert read_grey(np.asarray(image)) == ()
    assert {each.canonical for each in read_grey(np.asarray(image), ocr=PrintedText())} == set(label.imeis)
