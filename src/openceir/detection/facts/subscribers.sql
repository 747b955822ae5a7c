-- subscribers: how many SIM cards (IMSIs of 14 or 15 digits) used each device in the window, and on how many days.
-- Shapes: pairs of device and IMSI by month in; one row per counted device seen with a valid IMSI out.
-- Units:  imsis = distinct IMSIs, each counted in the newest of its months; imsi_days = IMSIs summed over days, an IMSI
--         at two operators on a day counts once; days_seen = days with at least one of them.
SELECT device, CAST(SUM(imsis) AS BIGINT) AS imsis, CAST(SUM(imsi_days) AS BIGINT) AS imsi_days,
  CAST(SUM(days_seen) AS BIGINT) AS days_seen
FROM (
  SELECT p.device AS device, COUNT(CASE WHEN p.is_newest THEN 1 END) AS imsis,
    SUM(BIT_COUNT(p.days & w.mask)) AS imsi_days, BIT_COUNT(BIT_OR(p.days & w.mask)) AS days_seen
  FROM pairs AS p
  JOIN :window AS w ON w.month_on = p.month_on
  WHERE (p.days & w.mask) <> 0
  GROUP BY p.device, p.month_on) AS by_month
GROUP BY device
