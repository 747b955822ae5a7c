"""The country's areas as policy names them: where a report can come from, and how many people live there."""

from openceir.policy import Policy, PolicyError
from openceir.portal import moment
from openceir.portal.register import register
from openceir.reports import Area

__all__ = ["areas_now", "areas_of"]


def areas_now() -> dict[str, Area]:
    """The areas of today's policy by id; empty where a country names none."""
    return areas_of(register().policy)


def areas_of(policy: Policy) -> dict[str, Area]:
    """The areas of a policy by id, in the file's order. Raises: PolicyError for one that cannot be drawn or counted."""
    return {name: _area(name, told) for name, told in policy.areas(moment.today()).items()}


def _area(name: str, told: dict[str, object]) -> Area:
    population, row, column = (told.get(key, least) for key, least in (("population", 0), ("row", 1), ("column", 1)))
    outline = told.get("outline", [])
    numbers = all(type(one) is int and one > 0 for one in (population, row, column))
    points = (
        [tuple(point) for point in outline if isinstance(point, list) and all(type(at) in {int, float} for at in point)]
        if isinstance(outline, list)
        else []
    )
    if (
        not numbers
        or not isinstance(outline, list)
        or len(points) != len(outline)
        or any(len(at) != 2 for at in points)
    ):
        raise PolicyError(
            f"area {name} of the policy needs population as a whole number, and row and column counted from 1"
            " or outline as pairs of longitude and latitude"
        )
    return Area(
        name=str(told.get("name", name)), population=int(str(population)), row=int(str(row)), column=int(str(column)),
        outline=tuple((float(x), float(y)) for x, y in points),
    )  # fmt: skip
