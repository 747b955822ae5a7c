"""What a country's policy declares about deliveries, as it stood on one day."""

from datetime import date

from openceir.intake.octets import Bounds
from openceir.intake.sightings import Country
from openceir.policy import Policy

__all__ = ["bounds_of", "country_of", "limits_of"]


def limits_of(policy: Policy, section: str, on: date) -> dict[str, float]:
    """The limits that files are held to: `intake.operator` those of dumps, `intake.lists` those of authorities' lists."""
    return {name: limit.value for name, limit in policy.section(section, on).items()}


def bounds_of(policy: Policy, on: date) -> Bounds:
    """How large a delivery may be."""
    limits = limits_of(policy, "intake", on)
    return Bounds(
        field=int(limits["largest_field_octets"]),
        line=int(limits["largest_line_octets"]),
        expansion_ratio=limits["largest_expansion_ratio"],
        uncompressed=int(limits["largest_uncompressed_octets"]),
    )


def country_of(policy: Policy, on: date) -> Country:
    """Whose numbers are at home; operators by their names in lower case, as files bear them."""
    country = policy.section("country", on)
    return Country(
        mcc=tuple(country["mcc"].value),
        country_codes=tuple(country["country_codes"].value),
        operators={name.lower(): tuple(table.get("mcc_mnc", ())) for name, table in policy.operators(on).items()},
    )
