-- title: Entered in the month, by whom
-- unit: devices
-- drawing: bars
-- order: 47
-- counts: Devices registered, imported or declared by statements of the month, by the office or company that said so: makers are local, importers and customs bring from abroad. Ranges are counted whole.
SELECT '' AS operator, CONCAT_WS(', ', issuer, kind) AS by_whom, CAST(SUM(devices) AS BIGINT) AS devices, COUNT(*) AS statements
FROM entry
WHERE logged_at >= :begins_at AND logged_at < :ends_at
GROUP BY issuer, kind
ORDER BY devices DESC, by_whom
