-- title: Pairings made and ended
-- unit: pairs
-- drawing: lines
-- order: 84
-- counts: Pairings stated and pairings withdrawn on each day of the month.
SELECT '' AS operator, d.day AS day,
  CAST(COALESCE(SUM(s.devices) FILTER (s.kind = 'paired'), 0) AS BIGINT) AS made,
  CAST(COALESCE(SUM(s.devices) FILTER (s.kind = 'withdrawn'), 0) AS BIGINT) AS ended
FROM days AS d
LEFT JOIN said AS s ON s.logged_at // 86400 = d.day_on AND (s.kind = 'paired' OR s.kind = 'withdrawn' AND s.ends_kind = 'paired')
WHERE EXISTS (SELECT 1 FROM said WHERE kind = 'paired')
GROUP BY d.day
ORDER BY day
