-- subscribers: how many SIM cards (IMSIs of 14 or 15 digits) used each device in the window, and on how many days.
-- Shapes: monthly triplets in; one row per device seen with a valid IMSI out.
-- Units:  imsis = distinct IMSIs; imsi_days = IMSIs summed over days, an IMSI at two operators on a day counts once;
--         days_seen = days with at least one of them.
-- Stored IMSIs bear a leading 1, hence the limits below.
WITH used AS (
  SELECT t.device AS device, t.month_on AS month_on, t.imsi AS imsi, BIT_OR(t.day_mask & w.mask) AS days
  FROM triplets AS t
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE t.imsi >= 100000000000000 AND t.imsi < 2000000000000000
    AND (t.imsi < 200000000000000 OR t.imsi >= 1000000000000000)
    AND (t.day_mask & w.mask) <> 0
  GROUP BY t.device, t.month_on, t.imsi),
by_imsi AS (
  SELECT device, imsi, SUM(BIT_COUNT(days)) AS imsi_days FROM used GROUP BY device, imsi),
by_month AS (
  SELECT device, month_on, BIT_COUNT(BIT_OR(days)) AS days_seen FROM used GROUP BY device, month_on)
SELECT i.device AS device, i.imsis AS imsis, i.imsi_days AS imsi_days, m.days_seen AS days_seen
FROM (
  SELECT device, COUNT(*) AS imsis, CAST(SUM(imsi_days) AS BIGINT) AS imsi_days FROM by_imsi GROUP BY device) AS i
JOIN (
  SELECT device, CAST(SUM(days_seen) AS BIGINT) AS days_seen FROM by_month GROUP BY device) AS m ON m.device = i.device
