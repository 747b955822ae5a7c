-- title: Findings that several operators share
-- unit: devices
-- drawing: bars
-- order: 63
-- counts: Devices with a finding that more than one operator saw in the month, by rule. Country only.
WITH wide AS (SELECT device FROM users GROUP BY device HAVING COUNT(DISTINCT operator) > 1)
SELECT '' AS operator, f.rule AS rule, COUNT(DISTINCT f.device) AS devices
FROM finding AS f
JOIN wide AS w ON w.device = f.device
GROUP BY f.rule
ORDER BY devices DESC, rule
