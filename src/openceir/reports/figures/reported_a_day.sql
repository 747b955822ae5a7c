-- title: Reported and recovered, day by day
-- unit: devices
-- drawing: lines
-- order: 92
-- counts: Devices whose theft or loss was stated on each day of the month, and devices whose recovery was.
SELECT '' AS operator, d.day AS day,
  CAST(COALESCE(SUM(s.devices) FILTER (s.kind = 'stolen'), 0) AS BIGINT) AS stolen,
  CAST(COALESCE(SUM(s.devices) FILTER (s.kind = 'lost'), 0) AS BIGINT) AS lost,
  CAST(COALESCE(SUM(s.devices) FILTER (s.kind = 'recovered'), 0) AS BIGINT) AS recovered
FROM days AS d
LEFT JOIN said AS s ON s.logged_at // 86400 = d.day_on AND s.kind IN ('stolen', 'lost', 'recovered')
WHERE EXISTS (SELECT 1 FROM said WHERE kind IN ('stolen', 'lost'))
GROUP BY d.day
ORDER BY day
