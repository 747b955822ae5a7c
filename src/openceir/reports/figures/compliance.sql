-- title: What the devices seen may do
-- unit: devices
-- drawing: bars
-- order: 50
-- counts: Devices seen in the month by their status at its end. Tracked devices are in service and watched; "will be blocked" has a day to come.
SELECT COALESCE(u.operator, '') AS operator,
  CASE WHEN v.status = 'tracked' AND v.block_on IS NOT NULL THEN 'tracked, will be blocked' ELSE v.status END AS status,
  COUNT(DISTINCT u.device) AS devices
FROM users AS u
JOIN verdict AS v ON v.device = u.device
GROUP BY GROUPING SETS ((u.operator, 2), (2))
ORDER BY operator, status
