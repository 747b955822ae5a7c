-- people: how many registered persons (UIDs of the subscribers' register) used each device in the window.
-- Shapes: pairs of device and IMSI by month in; one row per counted device seen with the IMSI of a known person out.
-- Units:  uids = distinct persons of the window; uid_days = persons summed over days; days_used = days on which the
--         device was seen with any valid IMSI, so that days of unknown persons lower the average.
WITH used AS (
  SELECT p.device AS device, p.month_on AS month_on, p.imsi AS imsi, p.days & w.mask AS days
  FROM pairs AS p
  JOIN :window AS w ON w.month_on = p.month_on
  WHERE (p.days & w.mask) <> 0),
by_person AS (
  SELECT u.device AS device, s.uid AS uid, u.month_on AS month_on, BIT_OR(u.days) AS days
  FROM used AS u JOIN subscriber AS s ON s.imsi = u.imsi
  GROUP BY u.device, s.uid, u.month_on),
persons AS (
  SELECT device, uid, SUM(BIT_COUNT(days)) AS uid_days FROM by_person GROUP BY device, uid),
by_month AS (
  SELECT device, month_on, BIT_COUNT(BIT_OR(days)) AS days_used FROM used GROUP BY device, month_on)
SELECT p.device AS device, p.uids AS uids, p.uid_days AS uid_days, m.days_used AS days_used
FROM (
  SELECT device, COUNT(*) AS uids, CAST(SUM(uid_days) AS BIGINT) AS uid_days FROM persons GROUP BY device) AS p
JOIN (
  SELECT device, CAST(SUM(days_used) AS BIGINT) AS days_used FROM by_month GROUP BY device) AS m ON m.device = p.device
