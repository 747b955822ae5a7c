-- series: which devices ran through at least three telephone numbers (MSISDNs) in the window, and how regularly?
-- Shapes: monthly triplets of counted devices in; one row per such device out.
-- Units:  series_msisdns = distinct numbers; msisdn_days = numbers summed over days, a number at two operators on a day
--         counts once; number_operators = operators of them; steps = how many different distances lie between
--         neighbours of the sorted numbers: 1 is a regular series.
-- A number is any MSISDN of shortest_msisdn_digits or more; stored ones bear a leading 1.
WITH used AS (
  SELECT t.device AS device, t.month_on AS month_on, t.msisdn AS msisdn, t.operator AS operator,
    t.day_mask & w.mask AS days
  FROM triplets AS t
  JOIN counted AS k ON k.device = t.device
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE t.msisdn >= POWER(10, :shortest_msisdn_digits) AND (t.day_mask & w.mask) <> 0),
by_month AS (
  SELECT u.device AS device, u.msisdn AS msisdn, BIT_COUNT(BIT_OR(u.days)) AS msisdn_days
  FROM used AS u
  GROUP BY u.device, u.msisdn, u.month_on),
by_number AS (
  SELECT device, msisdn, SUM(msisdn_days) AS msisdn_days,
    msisdn - LAG(msisdn) OVER (PARTITION BY device ORDER BY msisdn) AS step
  FROM by_month GROUP BY device, msisdn)
SELECT n.device AS device, n.msisdns AS series_msisdns, n.msisdn_days AS msisdn_days, n.steps AS steps,
  o.number_operators AS number_operators
FROM (
  SELECT device, COUNT(*) AS msisdns, CAST(SUM(msisdn_days) AS BIGINT) AS msisdn_days, COUNT(DISTINCT step) AS steps
  FROM by_number GROUP BY device HAVING COUNT(*) >= 3) AS n
JOIN (
  SELECT u.device AS device, COUNT(DISTINCT u.operator) AS number_operators
  FROM used AS u
  GROUP BY u.device) AS o ON o.device = n.device
