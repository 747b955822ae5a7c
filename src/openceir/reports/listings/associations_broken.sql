-- title: Devices used by somebody else than their owner on record
-- unit: devices
-- drawing: none
-- order: 7
-- counts: Associated devices seen with a registered subscriber who is none of the persons they are associated with.
SELECT DISTINCT u.operator AS operator, u.device AS device, u.imsi AS imsi
FROM users AS u
JOIN (SELECT DISTINCT device FROM association) AS a ON a.device = u.device
JOIN subscriber AS s ON s.imsi = u.imsi
LEFT JOIN association AS o ON o.device = u.device AND o.uid = s.uid
WHERE o.uid IS NULL
ORDER BY operator, device, imsi
