"""Who says things in these tests."""

from datetime import UTC, datetime, timedelta

from openceir.app import open_register
from openceir.statements import DeviceSet, DeviceStolen, Role

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Police:
    """A police force with a register: says thefts and hands them to the ledger."""

    def __init__(self, home):
        self.register = open_register(home)
        self.register.new_key(
            "police-1", member="cc-police", roles=[Role.POLICE], valid_from=NOON - timedelta(days=365)
        )

    @property
    def ledger(self):
        return self.register.ledger

    def sign(self, number, at=NOON):
        said = DeviceStolen(
            devices=DeviceSet.of(keys=[number]), stolen_at=NOON - timedelta(days=1), case_number=f"N-{number}"
        )
        return self.register.sign(said, by="cc-police", at=at)

    def state(self, *numbers, at=NOON):
        return self.ledger.append([self.sign(number, at) for number in numbers], at)
