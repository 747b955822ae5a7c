-- title: Subscribers paired with one device
-- unit: devices
-- drawing: bars
-- order: 83
-- counts: Devices by how many IMSIs are paired with them.
WITH counted AS (SELECT device, COUNT(DISTINCT imsi) AS subscribers FROM pair GROUP BY device)
SELECT '' AS operator, CASE WHEN subscribers <= 5 THEN CAST(subscribers AS VARCHAR) ELSE 'over 5' END AS subscribers, COUNT(*) AS devices
FROM counted
GROUP BY 2, CASE WHEN counted.subscribers <= 5 THEN counted.subscribers ELSE 6 END
ORDER BY CASE WHEN MAX(counted.subscribers) <= 5 THEN MAX(counted.subscribers) ELSE 6 END
