-- title: Devices used by somebody else than their owner on record
-- unit: devices
-- drawing: none
-- order: 82
-- counts: Associated devices seen in the month, and those seen with a registered subscriber who is none of the persons they are associated with.
SELECT COALESCE(u.operator, '') AS operator, COUNT(DISTINCT u.device) AS associated_devices,
  COUNT(DISTINCT u.device) FILTER (s.uid IS NOT NULL AND o.uid IS NULL) AS used_by_others
FROM users AS u
JOIN (SELECT DISTINCT device FROM association) AS a ON a.device = u.device
LEFT JOIN subscriber AS s ON s.imsi = u.imsi
LEFT JOIN association AS o ON o.device = u.device AND o.uid = s.uid
GROUP BY GROUPING SETS ((u.operator), ())
HAVING COUNT(*) > 0
ORDER BY operator
