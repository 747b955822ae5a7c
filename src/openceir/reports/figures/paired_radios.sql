-- title: What radios can do: devices paired
-- unit: devices
-- drawing: bars
-- order: 85
-- counts: Devices that are paired with a subscriber, by radio generation that the bands of their model can use; a device stands under each of them. A model whose bands nobody stated stands under unknown.
SELECT '' AS operator, COALESCE(g.name, 'unknown') AS generation, COUNT(DISTINCT r.device) AS devices
FROM pair AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
LEFT JOIN generation AS g ON (t.rat & g.mask) <> 0
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY generation
