-- fresh: which devices were seen since the earlier run with a set of RATs that this month did not show before?
-- Shapes: rows of `devices` (one a month, device and RAT) in; one row per such device and RAT out.
-- Units:  days_since holds the days after the earlier run's; of before_month_on, before_mask are the days up to it.
SELECT DISTINCT d.device AS device, COALESCE(d.rat, 0) AS rat
FROM devices AS d
JOIN :days_since AS n ON n.month_on = d.month_on
WHERE (d.day_mask & n.mask) <> 0
  AND NOT (d.month_on = :before_month_on AND (d.day_mask & :before_mask) <> 0)
