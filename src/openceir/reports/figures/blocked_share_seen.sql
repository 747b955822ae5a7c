-- title: Share of blocked devices seen again
-- unit: devices
-- drawing: none
-- order: 74
-- counts: Devices blocked for two days or more at the month's end; how many of them a network saw in the month two days or more after the block, and their share of 100. On an operator's page the share is of all the country's blocked devices.
WITH after AS (
  SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - b.since_on) AS days_after
  FROM users AS u
  JOIN blocked AS b ON b.device = u.device
  JOIN days AS d ON (u.day_mask & d.bit) <> 0
  WHERE d.day_on - b.since_on >= 2
  GROUP BY GROUPING SETS ((u.operator, u.device), (u.device))),
days_all AS (SELECT MAX(day_on) AS last_on FROM days),
standing AS (SELECT COUNT(*) AS devices FROM blocked, days_all WHERE last_on - since_on >= 2),
seen AS (SELECT COALESCE(operator, '') AS operator, COUNT(*) AS devices FROM after GROUP BY operator)
SELECT o.operator AS operator, s.devices AS blocked, COALESCE(a.devices, 0) AS seen_again,
  ROUND(100.0 * COALESCE(a.devices, 0) / NULLIF(s.devices, 0), 2) AS per_cent
FROM (SELECT '' AS operator UNION SELECT DISTINCT operator FROM users) AS o
CROSS JOIN standing AS s
LEFT JOIN seen AS a ON a.operator = o.operator
ORDER BY operator
