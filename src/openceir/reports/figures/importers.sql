-- title: The largest importers and makers
-- unit: devices
-- drawing: bars
-- order: 48
-- counts: Devices that each office or company entered since the register began, the twenty largest. Ranges are counted whole.
SELECT '' AS operator, issuer, CAST(SUM(devices) AS BIGINT) AS devices,
  CAST(SUM(devices) FILTER (logged_at >= :begins_at) AS BIGINT) AS this_month
FROM entry
WHERE logged_at < :ends_at
GROUP BY issuer
ORDER BY devices DESC, issuer
LIMIT 20
