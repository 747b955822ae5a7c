-- title: Blocked, and still on a network
-- unit: devices
-- drawing: stacked
-- order: 70
-- counts: Blocked devices that a network saw in the month two days or more after their block, by how long after. Counted from the day in law, whether or not a list had carried it by then. A network that enforces its list sees none.
WITH after AS (
  SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - b.since_on) AS days_after
  FROM users AS u
  JOIN blocked AS b ON b.device = u.device
  JOIN days AS d ON (u.day_mask & d.bit) <> 0
  WHERE d.day_on - b.since_on >= 2
  GROUP BY GROUPING SETS ((u.operator, u.device), (u.device)))
SELECT COALESCE(operator, '') AS operator, 'seen after the block' AS what,
  COUNT(*) FILTER (days_after <= 7) AS within_a_week, COUNT(*) FILTER (days_after > 7 AND days_after <= 30) AS within_a_month,
  COUNT(*) FILTER (days_after > 30) AS later
FROM after
GROUP BY operator
ORDER BY operator
