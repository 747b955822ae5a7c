-- title: The most frequent brands reported stolen or lost
-- unit: devices
-- drawing: bars
-- order: 95
-- counts: Devices whose report of a theft or loss holds, by the brand of their TAC, the twenty most frequent.
SELECT '' AS operator, COALESCE(NULLIF(TRIM(t.brand), ''), NULLIF(TRIM(t.manufacturer), ''), 'unknown') AS brand, COUNT(DISTINCT r.device) AS devices
FROM (SELECT device FROM report_of) AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, brand
LIMIT 20
