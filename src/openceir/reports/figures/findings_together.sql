-- title: Findings that come together
-- unit: devices
-- drawing: bars
-- order: 61
-- counts: Devices seen in the month by the set of rules whose findings hold on them.
WITH together AS (SELECT device, STRING_AGG(rule, ' + ' ORDER BY rule) AS rules FROM finding GROUP BY device)
SELECT COALESCE(u.operator, '') AS operator, t.rules AS rules, COUNT(DISTINCT u.device) AS devices
FROM users AS u
JOIN together AS t ON t.device = u.device
GROUP BY GROUPING SETS ((u.operator, t.rules), (t.rules))
ORDER BY operator, devices DESC, rules
