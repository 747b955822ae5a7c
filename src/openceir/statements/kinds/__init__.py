"""Every kind of statement, one file each. Importing this registers them; a new kind is a new file and a line here."""

from openceir.statements.kinds.acts_committed import ActsCommitted
from openceir.statements.kinds.approved import Approved
from openceir.statements.kinds.device_blocked import DeviceBlocked
from openceir.statements.kinds.device_bound import DeviceBound
from openceir.statements.kinds.device_classified import DeviceClassified
from openceir.statements.kinds.device_cloned import DeviceCloned
from openceir.statements.kinds.device_imported import DeviceImported
from openceir.statements.kinds.device_lost import DeviceLost
from openceir.statements.kinds.device_paired import DevicePaired
from openceir.statements.kinds.device_permitted import DevicePermitted
from openceir.statements.kinds.device_recovered import DeviceRecovered
from openceir.statements.kinds.device_registered import DeviceRegistered
from openceir.statements.kinds.device_stolen import DeviceStolen
from openceir.statements.kinds.device_tracked import DeviceTracked
from openceir.statements.kinds.disputed import Disputed
from openceir.statements.kinds.erasure_done import ErasureDone
from openceir.statements.kinds.erasure_ordered import ErasureOrdered
from openceir.statements.kinds.federation_founded import FederationFounded
from openceir.statements.kinds.list_applied import ListApplied
from openceir.statements.kinds.membership_proposed import MembershipProposed
from openceir.statements.kinds.range_allocated import RangeAllocated
from openceir.statements.kinds.state_committed import StateCommitted
from openceir.statements.kinds.stock_declared import StockDeclared
from openceir.statements.kinds.type_approved import TypeApproved
from openceir.statements.kinds.withdrawn import Withdrawn

__all__ = [
    "ActsCommitted",
    "Approved",
    "DeviceBlocked",
    "DeviceBound",
    "DeviceClassified",
    "DeviceCloned",
    "DeviceImported",
    "DeviceLost",
    "DevicePaired",
    "DevicePermitted",
    "DeviceRecovered",
    "DeviceRegistered",
    "DeviceStolen",
    "DeviceTracked",
    "Disputed",
    "ErasureDone",
    "ErasureOrdered",
    "FederationFounded",
    "ListApplied",
    "MembershipProposed",
    "RangeAllocated",
    "StateCommitted",
    "StockDeclared",
    "TypeApproved",
    "Withdrawn",
]
