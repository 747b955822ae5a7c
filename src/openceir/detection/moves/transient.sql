-- transient: which devices may run through as many numbers as the limit, in the window before or now?
-- Shapes: triplets of devices of several users in; devices out.
-- Triplets summed over days are no fewer than numbers. More than one number a day makes several users in some month;
-- where the limit is lower, every device of several numbers is asked that was used on a day that entered or left.
SELECT u.device AS device
FROM (
  SELECT s.device AS device, SUM(BIT_COUNT(COALESCE(s.day_mask & b.mask, 0))) AS users_before,
    SUM(BIT_COUNT(COALESCE(s.day_mask & w.mask, 0))) AS users
  FROM several AS s
  LEFT JOIN :window_before AS b ON b.month_on = s.month_on
  LEFT JOIN :window AS w ON w.month_on = s.month_on
  GROUP BY s.device) AS u
WHERE u.users_before >= :num_msisdns * :period_days OR u.users >= :num_msisdns * :period_days
UNION
SELECT t.device AS device
FROM triplets AS t
LEFT JOIN :moving_days AS m ON m.month_on = t.month_on
WHERE :num_msisdns <= 1
GROUP BY t.device
HAVING MIN(t.msisdn) < MAX(t.msisdn) AND MAX(CASE WHEN (t.day_mask & m.mask) <> 0 THEN 1 ELSE 0 END) = 1
