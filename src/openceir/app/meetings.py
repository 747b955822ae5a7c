"""Numbers seen in two countries: what goes to the other, what comes from it, and what both find."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from openceir.app.erasing import Erasing
from openceir.ledger import Entry
from openceir.policy import PolicyError
from openceir.statements import DeviceCloned, DeviceSet, KeyRefused
from openceir.storage.files import replace_file

if TYPE_CHECKING:
    from openceir.detection.meetings import HoursSeen
    from openceir.storage.meetings import MeetingShelf, Met

__all__ = ["Meetings"]


class Meetings(Erasing):
    """The exchange of hours seen with other nations."""

    @cached_property
    def met(self) -> "MeetingShelf":
        """What was found."""
        from openceir.storage.meetings import MeetingShelf

        return MeetingShelf(self.database)

    def pair_secret_path(self, nation: str) -> Path:
        """Where the secret that this register has with `nation` is kept."""
        return self._key_path(f"pair-{nation.lower()}")

    def make_pair_secret(self, nation: str) -> bytes:
        """A new secret with `nation`; hand it over by a safe way. Raises: KeyRefused when there is one."""
        return self.take_pair_secret(nation, os.urandom(32))

    def take_pair_secret(self, nation: str, secret: bytes) -> bytes:
        """Keep the secret that `nation` made. Raises: KeyRefused when it is none, or there is one already."""
        path = self.pair_secret_path(nation)
        if len(secret) != 32:
            raise KeyRefused(f"the secret of two countries has 32 octets, this has {len(secret)}; was the file cut?")
        if path.exists():
            raise KeyRefused(f"{path} is there already; remove it to begin anew, on both sides")
        replace_file(path, secret, mode=0o600)
        return secret

    def _pair_secret(self, nation: str) -> bytes:
        try:
            return self.pair_secret_path(nation).read_bytes()
        except FileNotFoundError:
            raise KeyRefused(f"there is no secret with {nation}; `openceir meetings key {nation}` makes one") from None

    def travel_hours(self, nation: str, on: date) -> int:
        """How long the journey to `nation` takes at least, as policy says. Raises: PolicyError when it says nothing."""
        section = self.policy.section(f"neighbours.{nation}", on)
        if "travel_hours" not in section:
            raise PolicyError(f"policy names no [neighbours.{nation}] with travel_hours; nothing is exchanged without")
        return int(section["travel_hours"].value)

    def hours_seen(self, nation: str, first_on: date, last_on: date) -> "HoursSeen":
        """What our networks saw on these days, as `nation` may know it. Raises: MeetingsRefused, PolicyError, KeyRefused."""
        from openceir.detection.meetings import hours_of
        from openceir.storage.meetings import timed_sightings

        self.travel_hours(nation, last_on)
        device, seconds = timed_sightings(self._files_of(first_on, last_on))
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day in (first_on, last_on))
        kept = (seconds >= begin) & (seconds < end + timedelta(days=1).total_seconds())
        return hours_of(self._pair_secret(nation), device[kept], seconds[kept], nation=self.nation, to=nation)

    def write_hours_seen(self, nation: str, first_on: date, last_on: date, *, by: str, at: datetime) -> bytes:
        """The file for `nation`, signed with the key `by`."""
        from openceir.detection.meetings import MeetingsRefused, write_hours

        if not self.nation:
            raise MeetingsRefused("policy names no country.nation, so nobody abroad could tell whose file it is")
        seen = self.hours_seen(nation, first_on, last_on)
        return write_hours(seen, self.signing_key(by), issuer=self.sign_as(by), at=at)

    def take_hours_seen(self, octets: bytes, *, at: datetime) -> "list[Met]":
        """The devices that another nation's file and our own sightings show in two places at once; they are kept."""
        from openceir.detection.meetings import devices_met, meetings, pair_key, read_hours
        from openceir.storage.meetings import Met, timed_sightings

        theirs = read_hours(octets, self._judging(self.members), to=self.nation)
        ours = self.hours_seen(theirs.nation, theirs.first_on, theirs.last_on)
        found = meetings(ours, theirs, self.travel_hours(theirs.nation, theirs.last_on))
        device, _ = timed_sightings(self._files_of(theirs.first_on, theirs.last_on))
        key = pair_key(self._pair_secret(theirs.nation), theirs.first_on)
        met = [
            Met(
                device=one,
                nation=theirs.nation,
                first_on=theirs.first_on,
                first_hour_at=datetime.fromtimestamp(meeting.first_hour * 3600, UTC),
                pairs=meeting.count,
                found_at=at.replace(microsecond=0),
            )
            for one, meeting in sorted(devices_met(found, key, device).items())
        ]
        self.met.keep(met)
        return met

    def state_met(self, met: "Sequence[Met]", *, by: str, at: datetime) -> Entry | None:
        """State by the regulator's key `by` that these numbers are on several devices; None when there is none."""
        if not met:
            return None
        nations = ", ".join(sorted({one.nation for one in met}))
        said = DeviceCloned(
            devices=DeviceSet.of(keys=sorted({one.device for one in met})),
            found_at=at.replace(microsecond=0),
            grounds=f"seen here and in {nations} within less time than the journey takes",
        )
        [entry] = self.state([said], by=by, at=at)
        return entry

    def _files_of(self, first_on: date, last_on: date) -> list[Path]:
        # a file's rows may be timed a day beside its folder's
        near = timedelta(days=1)
        return [file.path for file in self.lake.files() if first_on - near <= file.day <= last_on + near]
