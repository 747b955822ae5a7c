-- people: how many registered persons (UIDs of the subscribers' register) used each device in the window.
-- Shapes: monthly triplets in; one row per device seen with the IMSI of a known person out.
-- Units:  uids = distinct persons of the window; uid_days = persons summed over days; days_used = days on which the
--         device was seen with any valid IMSI, so that days of unknown persons lower the average.
WITH used AS (
  SELECT t.device AS device, t.month_on AS month_on, t.imsi AS imsi, BIT_OR(t.day_mask & w.mask) AS days
  FROM triplets AS t
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE t.imsi >= 100000000000000 AND t.imsi < 2000000000000000
    AND (t.imsi < 200000000000000 OR t.imsi >= 1000000000000000)
    AND (t.day_mask & w.mask) <> 0
  GROUP BY t.device, t.month_on, t.imsi),
by_person AS (
  SELECT u.device AS device, s.uid AS uid, u.month_on AS month_on, BIT_OR(u.days) AS days
  FROM used AS u JOIN subscriber AS s ON s.imsi = u.imsi
  GROUP BY u.device, s.uid, u.month_on),
by_month AS (
  SELECT device, month_on, BIT_COUNT(BIT_OR(days)) AS days_used FROM used GROUP BY device, month_on)
SELECT p.device AS device, p.uids AS uids, p.uid_days AS uid_days, m.days_used AS days_used
FROM (
  SELECT device, COUNT(DISTINCT uid) AS uids, CAST(SUM(BIT_COUNT(days)) AS BIGINT) AS uid_days
  FROM by_person GROUP BY device) AS p
JOIN (
  SELECT device, CAST(SUM(days_used) AS BIGINT) AS days_used FROM by_month GROUP BY device) AS m ON m.device = p.device
