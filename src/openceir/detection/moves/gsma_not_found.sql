-- gsma_not_found: for which devices of an unknown model code did the delay end since the earlier run?
-- Shapes: rows of `devices` (one a month, device and RAT) in; devices out.
-- The first day of any row may be the device's first.
SELECT DISTINCT d.device AS device
FROM (
  SELECT device, CAST(FLOOR(device / 1000000) AS BIGINT) AS tac, CAST(FLOOR(device / 1000000000000) AS BIGINT) AS rbi,
    month_on + BIT_COUNT((day_mask & -day_mask) - 1) AS first_on
  FROM devices
  WHERE device < 100000000000000) AS d
LEFT JOIN tac AS t ON t.tac = d.tac
WHERE t.tac IS NULL AND d.first_on + :delay_days > :before_on AND d.first_on + :delay_days <= :as_of_on
