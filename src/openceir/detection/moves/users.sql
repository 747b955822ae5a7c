-- users: which devices have a user in one of the two windows, before and now, who is not in the other?
-- Shapes: restless triplets in; devices out.
-- What counts users or their numbers changes only so; what counts their days has a text of its own.
SELECT DISTINCT device
FROM (
  SELECT r.device AS device, r.operator AS operator, r.imsi AS imsi, r.msisdn AS msisdn,
    MAX(CASE WHEN (r.day_mask & b.mask) <> 0 THEN 1 ELSE 0 END) AS was,
    MAX(CASE WHEN (r.day_mask & w.mask) <> 0 THEN 1 ELSE 0 END) AS holds
  FROM restless AS r
  LEFT JOIN :window_before AS b ON b.month_on = r.month_on
  LEFT JOIN :window AS w ON w.month_on = r.month_on
  GROUP BY r.device, r.operator, r.imsi, r.msisdn) AS u
WHERE was <> holds
