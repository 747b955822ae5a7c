-- title: Entered devices by what they may do
-- unit: devices
-- drawing: stacked
-- order: 46
-- counts: Devices that stand in the register singly, by how they came there and their status at the month's end.
SELECT '' AS operator, how, COUNT(DISTINCT device) FILTER (status = 'permitted') AS permitted,
  COUNT(DISTINCT device) FILTER (status = 'tracked') AS tracked, COUNT(DISTINCT device) FILTER (status = 'blocked') AS blocked,
  COUNT(DISTINCT device) FILTER (status = 'unknown') AS unknown
FROM entered
GROUP BY how
ORDER BY how
