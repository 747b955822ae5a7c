-- title: Operating systems of devices entered
-- unit: devices
-- drawing: bars
-- order: 50
-- counts: Devices that stand in the register singly, by the operating system that the table of models gives for their TAC; unknown where it gives none.
SELECT '' AS operator, COALESCE(t.os, 'unknown') AS system, COUNT(DISTINCT r.device) AS devices
FROM entered AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, system
LIMIT 20
