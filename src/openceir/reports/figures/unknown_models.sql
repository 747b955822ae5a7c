-- title: Models that nobody allocated, as far as we know
-- unit: devices
-- drawing: none
-- order: 62
-- counts: Devices seen whose TAC the table of models does not hold, by reporting body (the first two digits), with the number of TACs.
SELECT COALESCE(u.operator, '') AS operator, LPAD(CAST(u.device // 1000000000000 AS VARCHAR), 2, '0') AS reporting_body,
  COUNT(DISTINCT u.device // 1000000) AS tacs, COUNT(DISTINCT u.device) AS devices
FROM users AS u
LEFT JOIN tac AS t ON t.tac = u.device // 1000000
WHERE t.tac IS NULL AND u.device < 100000000000000
GROUP BY GROUPING SETS ((u.operator, 2), (2))
ORDER BY operator, devices DESC, reporting_body
