-- restless: of which devices was some user seen on a day that entered or left a window, and on none that stayed in all?
-- Shapes: monthly triplets in; all triplets of such devices out. :moving_days are the days that entered or left,
--         :staying_days those of the shortest window that were in it before and are now.
-- Cheap first: nine users in ten were seen on some day that stayed, so that no count of users changes by them.
SELECT t.device AS device, t.month_on AS month_on, t.operator AS operator, t.imsi AS imsi, t.msisdn AS msisdn,
  t.day_mask AS day_mask
FROM triplets AS t
JOIN (
  SELECT DISTINCT r.device AS device
  FROM triplets AS r
  JOIN :moving_days AS m ON m.month_on = r.month_on
  LEFT JOIN :staying_days AS s ON s.month_on = r.month_on
  WHERE (r.day_mask & m.mask) <> 0 AND COALESCE(r.day_mask & s.mask, 0) = 0) AS k ON k.device = t.device
