"""The made-up phones of Exampleland.

Every TAC here starts with 77, a reporting body that does not exist, or lies in ranges kept for tests (00, and 02 to 09:
GSMA TS.06), so that no number of this country can be a real device's. Brands, models and what they can do are
invented too.
"""

from dataclasses import dataclass

__all__ = [
    "BANDS",
    "HUB_MODULE",
    "MODELS",
    "RECALLED",
    "STOCK",
    "STOCK_FIRST",
    "TEST_TAC",
    "UNALLOCATED_TACS",
    "ZERO_MODEL",
    "Model",
    "tac_rows",
]

BANDS = {
    2: "GSM 900, GSM 1800",
    3: "GSM 900, GSM 1800, WCDMA FDD Band I",
    4: "GSM 900, GSM 1800, WCDMA FDD Band I, LTE FDD BAND 3, LTE FDD BAND 20",
    5: "GSM 900, WCDMA FDD Band I, LTE FDD BAND 3, LTE FDD BAND 20, NR n1, NR n78",
}


@dataclass(frozen=True, slots=True)
class Model:
    """One model under one TAC.

    Units: `generation` is the newest it speaks, 2 to 5; `share` is relative among ordinary people's phones.
    """

    tac: str
    brand: str
    name: str
    generation: int
    share: float
    device_type: str = "Smartphone"
    allocated_on: str = "14-Mar-2022"


MODELS = (
    Model("77100101", "Aurel", "A1", 4, 9),
    Model("77100102", "Aurel", "A1", 4, 6),  # a model may have several TACs
    Model("77100205", "Aurel", "A2 Five", 5, 10),
    Model("77100310", "Aurel", "A3 Fold", 5, 3),
    Model("77200100", "Brightphone", "Ember", 4, 9),
    Model("77200117", "Brightphone", "Ember Plus", 5, 7),
    Model("77200230", "Brightphone", "Cinder", 4, 6),
    Model("77300001", "Kestrel", "K10", 4, 7),
    Model("77300002", "Kestrel", "K11", 5, 8),
    Model("77300003", "Kestrel", "K12 Lite", 4, 5),
    Model("77400040", "Moorland", "Heath", 4, 5),
    Model("77400041", "Moorland", "Heather", 5, 4),
    Model("77500500", "Pebble", "Button", 2, 5, "Feature phone", "02-Feb-2012"),
    Model("77500501", "Pebble", "Button 3", 3, 5, "Feature phone", "09-Sep-2014"),
    Model("77600600", "Tarn", "Slate 8", 4, 2, "Tablet"),
    Model("77700700", "Wirelight", "Meter Link", 2, 0, "Module", "11-Nov-2015"),
    Model("77700701", "Wirelight", "Vend Link", 4, 0, "Module"),
    Model("77700702", "Wirelight", "Roam Hub", 4, 0, "Module"),
    Model("77800800", "Orchard", "Pocket Safe", 4, 1),  # recalled: its battery burns
    Model("07700012", "Halfmoon", "Crescent", 4, 0),  # a leading zero that one operator loses
)
RECALLED = "77800800"
ZERO_MODEL = "07700012"
HUB_MODULE = "77700702"
STOCK_FIRST, STOCK = "77300001900000", 300  # an importer's consignment: one range of numbers
TEST_TAC = "00100100"  # for development units, not for sale (test range of Q.5052 implementations' is_test_tac)
UNALLOCATED_TACS = ("77990011", "77990012", "77990013", "77888888")  # nobody was given these

_HEADER = (
    "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code"
    "|Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|Device Type"
)


def tac_rows() -> list[str]:
    """The TAC table as the GSMA writes it: seventeen columns, pipes between them, the header first."""
    rows = [_HEADER]
    for model in MODELS:
        maker = f"{model.brand} Works (made up)"
        rows.append(
            f"{model.tac}|{model.brand} {model.name} (made up)|{model.name}|{maker}|{BANDS[model.generation]}"
            f"|{model.allocated_on}|999|MADEUP|0001|NONE|{model.brand}|{model.name}|Not Known|No|Yes|Yes"
            f"|{model.device_type}"
        )
    return rows
