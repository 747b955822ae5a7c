-- title: The most frequent brands entered
-- unit: devices
-- drawing: bars
-- order: 49
-- counts: Devices that stand in the register singly, by the brand of their TAC, the twenty most frequent.
SELECT '' AS operator, COALESCE(NULLIF(TRIM(t.brand), ''), NULLIF(TRIM(t.manufacturer), ''), 'unknown') AS brand, COUNT(DISTINCT r.device) AS devices
FROM entered AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, brand
LIMIT 20
