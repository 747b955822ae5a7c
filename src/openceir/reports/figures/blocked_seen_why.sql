-- title: Blocked and seen again, by what blocks them
-- unit: devices
-- drawing: bars
-- order: 72
-- counts: Blocked devices that a network saw two days or more after the block, by each claim that blocks them: a theft, an order, a rule. A device may stand under several.
WITH after AS (
  SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - b.since_on) AS days_after
  FROM users AS u
  JOIN blocked AS b ON b.device = u.device
  JOIN days AS d ON (u.day_mask & d.bit) <> 0
  WHERE d.day_on - b.since_on >= 2
  GROUP BY GROUPING SETS ((u.operator, u.device), (u.device)))
SELECT COALESCE(a.operator, '') AS operator, f.reason AS reason, COUNT(DISTINCT a.device) AS devices
FROM after AS a
JOIN blocked_for AS f ON f.device = a.device
GROUP BY a.operator, f.reason
ORDER BY operator, devices DESC, reason
