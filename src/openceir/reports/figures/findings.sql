-- title: What detection found
-- unit: devices, SIM cards
-- drawing: bars
-- order: 60
-- counts: Devices seen in the month on which a rule's finding holds, and the IMSIs seen with them. A device may stand under several rules.
SELECT COALESCE(u.operator, '') AS operator, f.rule AS rule, COUNT(DISTINCT u.device) AS devices,
  COUNT(DISTINCT u.imsi) AS imsis
FROM users AS u
JOIN finding AS f ON f.device = u.device
GROUP BY GROUPING SETS ((u.operator, f.rule), (f.rule))
ORDER BY operator, devices DESC, rule
