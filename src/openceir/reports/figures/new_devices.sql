-- title: Devices seen for the first time
-- unit: devices
-- drawing: none
-- order: 20
-- counts: Identities seen in this month and in none before it, as far back as the register was fed.
SELECT COALESCE(u.operator, '') AS operator,
  COUNT(DISTINCT u.device) AS devices, COUNT(DISTINCT u.device) FILTER (f.month_on = :month_on) AS new_devices
FROM users AS u
JOIN first_seen AS f ON f.device = u.device
GROUP BY GROUPING SETS ((u.operator), ())
ORDER BY operator
