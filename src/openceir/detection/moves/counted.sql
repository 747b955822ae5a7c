-- counted: which devices of several users were used on a day that entered or left a window since the earlier run?
-- Shapes: monthly triplets in; devices out. :moving_days are those days, :longest_window holds both runs' windows.
-- Whom facts/counted.sql leaves out in both windows has nothing that a limit above 1 could meet.
SELECT device
FROM (
  SELECT t.device AS device,
    MIN(t.imsi) < MAX(t.imsi) OR MIN(t.msisdn) < MAX(t.msisdn) OR COUNT(s.imsi) > 0 AS is_several,
    MAX(CASE WHEN (t.day_mask & m.mask) <> 0 THEN 1 ELSE 0 END) = 1 AS has_moved
  FROM triplets AS t
  JOIN :longest_window AS w ON w.month_on = t.month_on
  LEFT JOIN :moving_days AS m ON m.month_on = t.month_on
  LEFT JOIN shared_imsi AS s ON s.imsi = t.imsi
  WHERE (t.day_mask & w.mask) <> 0
  GROUP BY t.device) AS u
WHERE is_several AND has_moved
