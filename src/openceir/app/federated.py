"""The register among others: who belongs to the federation, and where its members are."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path

from openceir.app.private_questions import PrivateQuestions
from openceir.federation import FederationError, Governed, Mirror, founded, governance_of, log_keys
from openceir.ledger import GOVERNING, Governance
from openceir.statements import FederationFounded, KeyUse, Member, MemberKey, Members, SignedStatement, SigningKey
from openceir.storage.federation_shelf import FederationShelf
from openceir.storage.files import replace_file
from openceir.storage.key_files import LogKeyFiles
from openceir.storage.ledger_files import LedgerFiles

__all__ = ["Federated"]

_IN_NONE = "this register is in no federation; found one with `openceir federation found`, or join one"


class Federated(PrivateQuestions):
    """Membership of a federation, and the copies of its members' logs."""

    # -- who belongs to it -----------------------------------------------------------------------------------------

    @property
    def federation_folder(self) -> Path:
        """Where everything of the federation lies."""
        return self.home / "federation"

    @cached_property
    def federation_shelf(self) -> FederationShelf:
        """What is kept of the others."""
        return FederationShelf(self.federation_folder)

    @cached_property
    def founding(self) -> SignedStatement:
        """The statement that the federation begins with. Raises: FederationError when this register is in none."""
        try:
            return SignedStatement.read((self.federation_folder / "founding.statement").read_bytes())
        except FileNotFoundError:
            raise FederationError(_IN_NONE) from None

    @property
    def is_federated(self) -> bool:
        """Whether this register is in a federation."""
        return (self.federation_folder / "founding.statement").exists()

    def found_federation(self, name: str, quorum: int, members: Members, *, by: str, at: datetime) -> SignedStatement:
        """State that these members found a federation, and belong to it.

        The statement is kept beside the log and not in it: what follows is said in all members' logs, and decided by
        what stands in all of them. Raises: FederationError when we are in one already; StatementRefused when it cannot be founded so.
        """
        if self.is_federated:
            raise FederationError("this register is in a federation already")
        said = FederationFounded(name=name, quorum=quorum, members=tuple(members))
        signed = self.sign(said, by=by, at=at)
        founded(signed)
        self.join_federation(signed, {})
        return signed

    def join_federation(self, founding: SignedStatement, peers: Mapping[str, str]) -> Governance:
        """Belong to the federation that this statement begins, or follow it until it admits us.

        `peers` are the doors of its members. Raises: FederationError when it does not hold, or we are in another one.
        """
        governance = founded(founding)
        if self.is_federated and self.founding.octets != founding.octets:
            raise FederationError("this register is in another federation already; one register has one")
        replace_file(self.federation_folder / "founding.statement", founding.write(), mode=0o600)
        self.__dict__.pop("founding", None)
        self._folded = None
        self.set_peers(peers)
        return governance

    def peers(self) -> dict[str, str]:
        """Where the other members' doors are, as federation/peers.toml says. Raises: FederationError."""
        path = self.federation_folder / "peers.toml"
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
            raise FederationError(f"{path} cannot be read: {wrong}") from wrong
        if not all(isinstance(address, str) and address.startswith("https://") for address in said.values()):
            raise FederationError(f'{path} holds a line a member: "xb-regulator" = "https://ceir.example:8075"')
        return said

    def set_peers(self, peers: Mapping[str, str]) -> None:
        """Add or change where members' doors are."""
        if peers:
            lines = [
                f'"{member}" = "{address.rstrip("/")}"\n' for member, address in (self.peers() | dict(peers)).items()
            ]
            replace_file(self.federation_folder / "peers.toml", "".join(lines).encode())

    @property
    def belongs_to(self) -> Governance | None:
        """The federation that this register belongs to, as all logs that we hold make it; None when there is none."""
        if not self.is_federated:
            return super().belongs_to
        self.ledger.refresh()
        held = (self.ledger.size, *self.federation_shelf.marks(GOVERNING))
        if self._folded is None or self._folded[0] != held:
            self._folded = (held, governance_of(self.founding, self._governing()))
        return self._folded[1]

    _folded: tuple[tuple[int, ...], Governance] | None = None

    def federation(self) -> Governance:
        """The federation that we are in. Raises: FederationError when we are in none."""
        state = self.belongs_to
        if not self.is_federated or state is None:
            raise FederationError(_IN_NONE)
        return state

    def _governing(self) -> Iterable[Governed]:
        for entry in self.ledger.of_kinds(GOVERNING):
            yield Governed(self.ledger.signed(entry.index), entry.logged_at)
        for one in self.federation_shelf.of_kinds(GOVERNING):
            if one.salt is not None and one.octets is not None:
                mirror = self.mirror(one.member)
                if mirror.size <= one.index:  # another process fetched it since this one looked
                    mirror.refresh()
                [octets] = mirror.octets(one.index, one.index + 1)
                [logged_at] = self.federation_shelf.times(one.member, one.index, one.index + 1)
                if logged_at is not None:
                    yield Governed(SignedStatement(octets, one.salt, one.octets), logged_at)

    def own_member(self, governance: Governance | None = None) -> Member:
        """The member of the federation whose log this is. Raises: FederationError while there is none."""
        own = self._log_key.private().public.octets
        members: Iterable[Member] = (governance or self.federation()).members
        for member in members:
            if any(key.octets == own for key in log_keys(member)):
                return member
        raise FederationError(
            "the federation does not know this register's log key; let a member propose to admit its card"
        )

    def others(self, governance: Governance) -> list[Member]:
        """The members whose logs we follow, in the order of their ids."""
        own = self._log_key.private().public.octets
        keys = {member.id: log_keys(member) for member in governance.voters()}
        return [
            member
            for member in governance.voters()
            if keys[member.id] and all(key.octets != own for key in keys[member.id])
        ]

    def card(self, voter: str, nation: str, others: Iterable[str], *, at: datetime) -> Members:
        """What this register brings into a federation: the voter with its log and witness keys, and other offices.

        Raises: MemberRefused, FederationError when one of them is no member here.
        """
        made = []
        for place, name in enumerate((voter, *others)):
            member = self.members.find(name)
            if member is None:
                raise FederationError(f"{name} is no member of this register; `openceir member list` shows them")
            keys = [key for key in member.keys if key.use is KeyUse.STATEMENTS]
            if place == 0:
                keys.append(MemberKey(self._log_key.private().public, at, use=KeyUse.LOG))
                keys.append(MemberKey(self.witness_key(voter).public, at, use=KeyUse.WITNESS))
            made.append(Member(member.id, member.roles, tuple(keys), member.earlier, nation, int(place == 0)))
        return Members(made)

    def witness_key(self, voter: str | None = None) -> SigningKey:
        """The key with which we cosign, made when first needed."""
        if "_witness_key" not in self.__dict__:
            path = self.home / "keys" / "witness.key"
            name = None if path.exists() else f"{voter or self.own_member().id}/witness"
            self._witness_key = LogKeyFiles(path, self.federation_folder / "witness.vkey", name).private()
        return self._witness_key

    def mirror(self, member: str) -> Mirror:
        """Our copy of this member's log."""
        if member not in self._mirrors:
            self._mirrors[member] = Mirror(LedgerFiles(self.federation_folder / "logs" / member))
        return self._mirrors[member]

    @cached_property
    def _mirrors(self) -> dict[str, Mirror]:
        return {}
