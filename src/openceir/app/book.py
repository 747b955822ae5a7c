"""The book and what stands around it: settings, policy, keys, members, and statements signed and logged."""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from openceir.ledger import Audit, Entry, Ledger, LoggedStatement, audit
from openceir.policy import Policy, load_policy
from openceir.progress import Progress
from openceir.settings import Settings, load_settings
from openceir.statements import (
    Disputed,
    KeyRefused,
    MemberKey,
    MemberRefused,
    Members,
    PublicKey,
    Role,
    SignedStatement,
    SigningKey,
    Statement,
    StatementRefused,
    open_payload,
    sign,
)
from openceir.storage.database import Database
from openceir.storage.files import replace_file
from openceir.storage.identifiers import IdentifierDictionary
from openceir.storage.key_files import (
    LogKeyFiles,
    read_members,
    read_signing_key,
    write_members,
    write_signing_key,
)
from openceir.storage.ledger_files import LedgerFiles
from openceir.storage.payloads import Payloads

__all__ = ["Book"]


class Book:
    """One home folder and the ledger in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._members_file = home / "members.toml"

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return load_settings(self.home, os.environ)[0]

    @cached_property
    def policy(self) -> Policy:
        """The packaged policy, overlaid with the home folder's files in the order of their names."""
        self._policy_stamp = self._stamp_policy()
        return load_policy(self.policy_files())

    @property
    def policy_folder(self) -> Path:
        """Where the country's own policy files lie."""
        return self.home / self.settings.policy_folder

    def policy_files(self) -> list[Path]:
        """The country's own policy files, in the order in which they overlay one another."""
        return sorted(self.policy_folder.glob("*.toml"))

    def _stamp_policy(self) -> tuple[object, ...]:
        """What changes whenever a policy file does."""
        return tuple(
            (path.name, kept.st_mtime_ns, kept.st_ino) for path in self.policy_files() for kept in [path.stat()]
        )

    def refresh_policy(self) -> bool:
        """Take in what another process did to the policy files; whether it did anything.

        Raises: PolicyError when what stands there is no policy; the one in force stays in force then.
        """
        if "policy" not in self.__dict__ or self._policy_stamp == (stamp := self._stamp_policy()):
            return False
        self.policy = load_policy(self.policy_files())
        self._policy_stamp = stamp
        return True

    @cached_property
    def database(self) -> Database:
        """register.sqlite."""
        return Database(self.home / "register.sqlite")

    @cached_property
    def identifiers(self) -> IdentifierDictionary:
        """Device keys of whatever is not a 14-digit IMEI."""
        return IdentifierDictionary(self.database)

    @cached_property
    def members(self) -> Members:
        """Who may sign what."""
        return read_members(self._members_file)

    def new_key(self, name: str, *, member: str, roles: Iterable[Role], valid_from: datetime) -> PublicKey:
        """Make keys/NAME.key and let `member` sign with it; a new member gets `roles`, an old one has them added.

        Raises: KeyRefused when there is such a key; MemberRefused for a new member without a role.
        """
        if name in {"log", "evidence", "lists", "questions"} or name.startswith("questions-"):
            raise KeyRefused(f"{name}.key is the register's own; it is made when it is first needed")
        key = SigningKey(name, os.urandom(32))
        changed = self.members.with_key(member, MemberKey(key.public, valid_from), roles)
        write_signing_key(self._key_path(name), key)
        self.change_members(changed)
        return key.public

    def change_members(self, members: Members) -> None:
        """Put these members in place of the present ones."""
        write_members(self._members_file, members)
        self.members = members
        if "ledger" in self.__dict__:
            self.ledger.members = members

    def signing_key(self, name: str) -> SigningKey:
        """The private key of this name, or of the member of this name, from the home's keys.

        Raises: KeyRefused when there is none, or it can be read by others.
        """
        path = self._key_path(name)
        member = self.members.find(name)
        if not path.exists() and member is not None:
            for key in member.keys:
                if key.revoked_at is None and self._key_path(key.public.name).exists():
                    return read_signing_key(self._key_path(key.public.name))
        return read_signing_key(path)

    def sign_as(self, by: str) -> str:
        """The member whose key `by` names. Raises: KeyRefused, MemberRefused when it is no member's."""
        return self._member_of(self.signing_key(by))

    def _member_of(self, key: SigningKey) -> str:
        found = self.members.find_key(key.public.kid)
        if found is None:
            raise MemberRefused(f"the key {key.name} is no member's; `openceir member add` makes it one's")
        return found[0].id

    @cached_property
    def evidence_key(self) -> bytes:
        """The secret under which subscribers in evidence and devices on golden lists are digested; made when first needed."""
        path = self.home / "keys" / "evidence.key"
        if not path.exists():
            replace_file(path, os.urandom(32), mode=0o600)
        return path.read_bytes()

    def _key_path(self, name: str) -> Path:
        if not name or any(not (c.isascii() and (c.isalnum() or c in "-.")) for c in name) or name.startswith("."):
            raise KeyRefused(f"{name!r} cannot name a key file: use letters, digits, hyphens and dots")
        return self.home / "keys" / f"{name}.key"

    @cached_property
    def ledger(self) -> Ledger:
        """The book, opened and held against its checkpoint."""
        return Ledger(
            LedgerFiles(self.home / "ledger"),
            Payloads(self.home / "ledger" / "payloads.sqlite"),
            self.members,
            self._log_key,
            on_append=self._tell_views,
        )

    @cached_property
    def _log_key(self) -> LogKeyFiles:
        return LogKeyFiles(self.home / "keys" / "log.key", self.home / "ledger" / "log.vkey")

    @cached_property
    def views(self) -> list[Callable[[Sequence[LoggedStatement]], None]]:
        """Called with every new entry once it is durable; a view that was not there catches up by `ledger.entries`."""
        return []

    def _tell_views(self, new: Sequence[LoggedStatement]) -> None:
        for view in self.views:
            view(new)

    def sign(self, said: Statement, *, by: str, at: datetime) -> SignedStatement:
        """`said`, signed at `at` with the key `by`, a key's or a member's name.

        Raises: KeyRefused, MemberRefused when the key is no member's, StatementRefused.
        """
        [signed] = self._signed([said], by, at)
        return signed

    def state(self, statements: Iterable[Statement], *, by: str, at: datetime) -> list[Entry]:
        """Sign these with the key `by` and log them as one block: all of them or none."""
        return self.submit(self._signed(statements, by, at), at=at)

    def _signed(self, statements: Iterable[Statement], by: str, at: datetime) -> list[SignedStatement]:
        key = self.signing_key(by)
        issuer = self._member_of(key)
        return [sign(said, key, issuer=issuer, stated_at=at, salt=os.urandom(16)) for said in statements]

    def submit(self, signed: Sequence[SignedStatement], *, at: datetime) -> list[Entry]:
        """Log statements, wherever they were signed, as one block; members.toml counts as it is at this moment."""
        self.members = self.ledger.members = read_members(self._members_file)
        for one in signed:
            if Disputed.kind.encode() in one.octets:  # few are: the others are not read twice
                self._refuse_haste(one, at)
        return self.ledger.append(signed, at)

    def _refuse_haste(self, signed: SignedStatement, at: datetime) -> None:
        """Whoever files a dispute may not lift a block by it sooner than policy allows, counted from when it is logged."""
        header = signed.header
        issuer = self.members.find(header.issuer)
        decides = issuer is not None and not issuer.roles_at(at).isdisjoint({Role.REGULATOR, Role.COURT})
        if header.kind != Disputed.kind or decides:
            return
        said = open_payload(header, signed.salt, signed.payload)
        hours = self.policy.value("status.dispute_restores_after_hours", at.date())
        if isinstance(said, Disputed) and said.restores_at < at + timedelta(hours=hours):
            raise StatementRefused(
                f"restores_at leaves less than {hours} hours to decide (status.dispute_restores_after_hours); "
                "only the regulator or a court may restore service sooner"
            )

    def verify_ledger(self, progress: Progress | None = None) -> Audit:
        """Read the whole book again from the disk, believing nothing; raises LedgerBroken at the first bad place."""
        blocks = LedgerFiles(self.home / "ledger")
        payloads = Payloads(self.home / "ledger" / "payloads.sqlite")
        try:
            return audit(blocks, payloads, read_members(self._members_file), self._log_key, progress)
        finally:
            blocks.close()
            payloads.close()
