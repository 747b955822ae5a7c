-- fresh: which devices may have been seen for the first time since the earlier run?
-- Shapes: restless triplets, and rows of `devices` (one or more a month, device and RAT), in; devices out.
-- A month whose triplets were erased has its devices still: there it may be everybody.
SELECT r.device AS device
FROM restless AS r
JOIN :days_since AS n ON n.month_on = r.month_on
WHERE (r.day_mask & n.mask) <> 0
UNION
SELECT d.device AS device
FROM devices AS d
JOIN (
  SELECT n.month_on AS month_on, n.mask AS mask
  FROM :days_since AS n
  LEFT JOIN (SELECT DISTINCT month_on FROM triplets) AS t ON t.month_on = n.month_on
  WHERE t.month_on IS NULL) AS erased ON erased.month_on = d.month_on
WHERE (d.day_mask & erased.mask) <> 0
