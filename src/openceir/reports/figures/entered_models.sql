-- title: The most frequent models entered
-- unit: devices
-- drawing: bars
-- order: 49
-- counts: Devices that stand in the register singly, by the model of their TAC, the twenty most frequent, with its kind of device and how many of them a network saw in the month.
WITH seen AS (SELECT DISTINCT device FROM users)
SELECT '' AS operator, CASE WHEN t.tac IS NULL THEN 'unknown' ELSE TRIM(CONCAT_WS(' ', t.manufacturer, t.model)) END AS model, COUNT(DISTINCT r.device) AS devices,
  COUNT(DISTINCT s.device) AS seen_in_month, MAX(t.device_type) AS kind_of_device
FROM entered AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
LEFT JOIN seen AS s ON s.device = r.device
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, model
LIMIT 20
