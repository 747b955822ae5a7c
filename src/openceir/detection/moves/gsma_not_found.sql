-- gsma_not_found: for which devices of an unknown model code did the delay end since the earlier run?
-- Shapes: rows of `devices` (one or more a month, device and RAT) in; devices out.
-- Units:  due_days are the days from which some delay ended since; the first day of any row may be the device's first.
SELECT DISTINCT d.device AS device
FROM (
  SELECT r.device AS device, CAST(FLOOR(r.device / 1000000) AS BIGINT) AS tac,
    CAST(FLOOR(r.device / 1000000000000) AS BIGINT) AS rbi,
    r.month_on + BIT_COUNT((r.day_mask & -r.day_mask) - 1) AS first_on
  FROM devices AS r
  JOIN :due_days AS m ON m.month_on = r.month_on
  WHERE (r.day_mask & -r.day_mask & m.mask) <> 0 AND r.device < 100000000000000) AS d
LEFT JOIN tac AS t ON t.tac = d.tac
WHERE t.tac IS NULL AND d.first_on + :delay_days > :before_on AND d.first_on + :delay_days <= :as_of_on
