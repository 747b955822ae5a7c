-- seen: of which devices may facts/seen.sql say something new since the earlier run, the last day apart?
-- Shapes: fresh devices and RATs, and rows of `devices`, in; devices out. No condition reads the last day.
SELECT f.device AS device
FROM fresh AS f
LEFT JOIN (
  SELECT DISTINCT d.device AS device, COALESCE(d.rat, 0) AS rat
  FROM devices AS d
  JOIN (SELECT DISTINCT device FROM fresh) AS k ON k.device = d.device
  WHERE d.month_on < :before_month_on OR (d.month_on = :before_month_on AND (d.day_mask & :before_mask) <> 0)
) AS o ON o.device = f.device AND o.rat = f.rat
WHERE o.device IS NULL
