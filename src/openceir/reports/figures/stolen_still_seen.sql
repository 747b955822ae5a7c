-- title: Reported stolen or lost, and seen again
-- unit: devices
-- drawing: stacked
-- order: 71
-- counts: Reported devices that a network saw in the month two days or more after the report, by how long after; whether blocked or only watched.
WITH after AS (
  SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - r.reported_on) AS days_after
  FROM users AS u
  JOIN report_of AS r ON r.device = u.device
  JOIN days AS d ON (u.day_mask & d.bit) <> 0
  WHERE d.day_on - r.reported_on >= 2
  GROUP BY GROUPING SETS ((u.operator, u.device), (u.device)))
SELECT COALESCE(operator, '') AS operator, 'seen after the report' AS what,
  COUNT(*) FILTER (days_after <= 7) AS within_a_week, COUNT(*) FILTER (days_after > 7 AND days_after <= 30) AS within_a_month,
  COUNT(*) FILTER (days_after > 30) AS later
FROM after
GROUP BY operator
ORDER BY operator
