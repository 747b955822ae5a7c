-- title: Copied numbers, by what showed it
-- unit: devices
-- drawing: bars
-- order: 64
-- counts: Devices seen in the month that a rule holds for copied: one number on several handsets. By rule, and so by kind of evidence; a device may stand under several.
SELECT COALESCE(u.operator, '') AS operator, f.rule AS rule, COUNT(DISTINCT u.device) AS devices
FROM users AS u
JOIN finding AS f ON f.device = u.device AND f.marks_duplicate
GROUP BY GROUPING SETS ((u.operator, f.rule), (f.rule))
ORDER BY operator, devices DESC, rule
