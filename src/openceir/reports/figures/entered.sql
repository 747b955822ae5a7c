-- title: Devices entered in the register
-- unit: devices
-- drawing: bars
-- order: 45
-- counts: Devices that stand in the register singly at the month's end, by how they came there: registered by a list or an office, imported through customs, declared as stock. Ranges are not counted here.
SELECT '' AS operator, how, COUNT(DISTINCT device) AS devices
FROM entered
GROUP BY how
ORDER BY devices DESC, how
