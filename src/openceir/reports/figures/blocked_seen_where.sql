-- title: Blocked and seen again, network by network
-- unit: devices
-- drawing: stacked
-- order: 73
-- counts: The networks that saw blocked devices two days or more after the block, by how long after. Country only: on an operator's page the same row stands alone.
WITH after AS (
  SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - b.since_on) AS days_after
  FROM users AS u
  JOIN blocked AS b ON b.device = u.device
  JOIN days AS d ON (u.day_mask & d.bit) <> 0
  WHERE d.day_on - b.since_on >= 2
  GROUP BY GROUPING SETS ((u.operator, u.device), (u.device)))
SELECT '' AS operator, operator AS network,
  COUNT(*) FILTER (days_after <= 7) AS within_a_week, COUNT(*) FILTER (days_after > 7 AND days_after <= 30) AS within_a_month,
  COUNT(*) FILTER (days_after > 30) AS later
FROM after
WHERE operator IS NOT NULL
GROUP BY operator
ORDER BY network
