-- title: Radio identities of one device
-- unit: devices
-- drawing: bars
-- order: 50
-- counts: Devices whose maker or customs bound several identifiers to them, by how many IMEIs each has: two for a device with two SIM cards.
WITH wholes AS (SELECT whole, COUNT(DISTINCT device) AS imeis FROM bound WHERE device < 100000000000000 GROUP BY whole)
SELECT '' AS operator, CAST(imeis AS VARCHAR) AS imeis, COUNT(*) AS devices
FROM wholes
GROUP BY wholes.imeis
ORDER BY wholes.imeis
