-- title: Taken back and disputed
-- unit: devices
-- drawing: none
-- order: 93
-- counts: Statements of the month that ended another, and disputes filed, by what they were about. A wrong block cuts a
--   person off: this is the table to watch.
SELECT '' AS operator, CASE WHEN s.kind = 'disputed' THEN 'disputed' ELSE 'withdrawn' END AS what,
  COALESCE(s.ends_kind, 'any') AS claim, COUNT(*) AS statements, CAST(SUM(s.devices) AS BIGINT) AS devices
FROM said AS s
WHERE s.kind IN ('disputed', 'withdrawn') AND s.logged_at >= :begins_at AND s.logged_at < :ends_at
GROUP BY 2, 3
ORDER BY what, claim
