-- seen: which devices were seen for the first time since the earlier run?
-- Shapes: fresh devices, and rows of `devices` (one or more a month, device and RAT), in; devices out.
SELECT f.device AS device
FROM fresh AS f
LEFT JOIN (
  SELECT DISTINCT d.device AS device
  FROM devices AS d
  JOIN fresh AS k ON k.device = d.device
  WHERE d.month_on < :before_month_on OR (d.month_on = :before_month_on AND (d.day_mask & :before_mask) <> 0)
) AS o ON o.device = f.device
WHERE o.device IS NULL
