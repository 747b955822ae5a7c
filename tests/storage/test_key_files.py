import pytest

from openceir.statements import KeyRefused, MemberRefused, SigningKey
from openceir.storage.key_files import LogKeyFiles, read_members, read_public_key, read_signing_key, write_signing_key

KEY = SigningKey("police-1", bytes(range(32)))


def test_a_private_key_is_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "police.key"
    write_signing_key(path, KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_signing_key(path) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_that_others_can_read_is_not_used(tmp_path, mode):
    path = tmp_path / "police.key"
    write_signing_key(path, KEY)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="others"):
        read_signing_key(path)


def test_a_key_is_never_written_over_another(tmp_path):
    path = tmp_path / "police.key"
    write_signing_key(path, KEY)
    with pytest.raises(KeyRefused, match="already"):
        write_signing_key(path, SigningKey("mallory", bytes(32)))
    assert read_signing_key(path) == KEY


@pytest.mark.parametrize("octets", [b"", b"\xff\xfe", b"hello", KEY.public.format().encode(), b"x" * 100_000])
def test_a_file_that_is_no_key_is_refused(tmp_path, octets):
    path = tmp_path / "police.key"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(KeyRefused):
        read_signing_key(path)


def test_a_key_that_is_absent_is_said_with_what_to_do(tmp_path):
    with pytest.raises(KeyRefused, match="openceir key new"):
        read_signing_key(tmp_path / "absent.key")


def test_a_public_key_is_given_as_its_line_or_as_a_file(tmp_path):
    path = tmp_path / "police.vkey"
    path.write_text(KEY.public.format() + "\n")
    assert read_public_key(str(path)) == read_public_key(KEY.public.format()) == KEY.public
    for wrong in ("", "nothing", str(tmp_path), "a" * 5000, "nul\0"):
        with pytest.raises(KeyRefused):
            read_public_key(wrong)


def test_the_log_key_is_made_once_and_then_must_be_there(tmp_path):
    private, public = tmp_path / "keys" / "log.key", tmp_path / "ledger" / "log.vkey"
    made = LogKeyFiles(private, public).private()
    assert LogKeyFiles(private, public).private() == made
    assert LogKeyFiles(private, public).public() == made.public
    public.unlink()
    assert LogKeyFiles(private, public).private() == made
    private.unlink()
    with pytest.raises(KeyRefused):
        LogKeyFiles(private, public).private()


def test_no_members_file_means_no_members(tmp_path):
    assert list(read_members(tmp_path / "members.toml")) == []
    (tmp_path / "members.toml").write_text("[[member")
    with pytest.raises(MemberRefused, match="not TOML"):
        read_members(tmp_path / "members.toml")
