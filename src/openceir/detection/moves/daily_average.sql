-- daily_average: which devices may have as many users as :threshold on an average day, in the window before or now?
-- Shapes: triplets of devices of several users in; devices out.
-- Whoever reaches an average over a window reaches it in one of its months, counted there by triplets, which are no fewer
-- than SIM cards. A SIM card of several persons is no measure of them: its devices are asked in any case.
-- Stored IMSIs of 14 or 15 digits bear a leading 1, hence the limits below.
SELECT device
FROM (
  SELECT s.device AS device, s.month_on AS month_on,
    SUM(BIT_COUNT(COALESCE(s.day_mask & b.mask, 0))) AS users_before,
    BIT_COUNT(BIT_OR(COALESCE(s.day_mask & b.mask, 0))) AS days_before,
    SUM(BIT_COUNT(COALESCE(s.day_mask & w.mask, 0))) AS users,
    BIT_COUNT(BIT_OR(COALESCE(s.day_mask & w.mask, 0))) AS days
  FROM several AS s
  LEFT JOIN :window_before AS b ON b.month_on = s.month_on
  LEFT JOIN :window AS w ON w.month_on = s.month_on
  WHERE s.imsi >= 100000000000000 AND s.imsi < 2000000000000000
    AND (s.imsi < 200000000000000 OR s.imsi >= 1000000000000000)
  GROUP BY s.device, s.month_on) AS u
WHERE (days_before > 0 AND users_before >= :threshold * days_before) OR (days > 0 AND users >= :threshold * days)
UNION
SELECT s.device AS device FROM several AS s JOIN shared_imsi AS p ON p.imsi = s.imsi
