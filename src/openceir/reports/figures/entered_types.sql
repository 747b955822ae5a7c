-- title: Kinds of devices entered
-- unit: devices
-- drawing: bars
-- order: 50
-- counts: Devices that stand in the register singly, by the kind that the table of models gives: telephone, tablet, module, modem.
SELECT '' AS operator, COALESCE(t.device_type, 'unknown') AS kind_of_device, COUNT(DISTINCT r.device) AS devices
FROM entered AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
WHERE r.device < 100000000000000
GROUP BY 2
ORDER BY devices DESC, kind_of_device
LIMIT 20
