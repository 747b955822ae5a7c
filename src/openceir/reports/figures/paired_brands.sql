-- title: The most frequent brands paired
-- unit: devices
-- drawing: bars
-- order: 85
-- counts: Devices that are paired with a subscriber, by the brand of their TAC, the twenty most frequent.
SELECT '' AS operator, COALESCE(NULLIF(TRIM(t.brand), ''), NULLIF(TRIM(t.manufacturer), ''), 'unknown') AS brand, COUNT(DISTINCT r.device) AS devices
FROM pair AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, brand
LIMIT 20
