-- pairs: which SIM card used which device on which days, in the longest window that any condition asks about.
-- Shapes: monthly triplets in; one row per counted device, month and IMSI with any day in that window out.
-- Units:  days bit 0 is day 1 of the month; is_newest where no later month has the same device and IMSI: every window
--         ends with the day of the run, so that a pair seen in a window at all is seen in the newest of its months.
-- Stored IMSIs of 14 or 15 digits bear a leading 1, hence the limits below.
WITH monthly AS (
  SELECT t.device AS device, t.month_on AS month_on, t.imsi AS imsi, BIT_OR(t.day_mask & w.mask) AS days
  FROM triplets AS t
  JOIN counted AS k ON k.device = t.device
  JOIN :longest_window AS w ON w.month_on = t.month_on
  WHERE t.imsi >= 100000000000000 AND t.imsi < 2000000000000000
    AND (t.imsi < 200000000000000 OR t.imsi >= 1000000000000000)
    AND (t.day_mask & w.mask) <> 0
  GROUP BY t.device, t.month_on, t.imsi)
SELECT m.device AS device, m.month_on AS month_on, m.imsi AS imsi, m.days AS days, o.device IS NULL AS is_newest
FROM monthly AS m
LEFT JOIN (
  SELECT DISTINCT a.device AS device, a.imsi AS imsi, a.month_on AS month_on
  FROM monthly AS a
  JOIN monthly AS b ON b.device = a.device AND b.imsi = a.imsi
  WHERE b.month_on > a.month_on) AS o ON o.device = m.device AND o.imsi = m.imsi AND o.month_on = m.month_on
