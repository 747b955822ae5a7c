-- title: Which models are reported
-- unit: devices
-- drawing: stacked
-- order: 94
-- counts: Devices reported stolen or lost, by model, in the month and in the one before: when thieves are driven from one
--   model, look where they went. Twenty models at most.
WITH reported AS (
  SELECT DISTINCT a.device AS device, s.logged_at >= :begins_at AS is_now
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind IN ('stolen', 'lost') AND s.ends_kind IS NULL
    AND s.logged_at >= :month_before_at AND s.logged_at < :ends_at AND a.device < 100000000000000)
SELECT '' AS operator, CASE WHEN t.tac IS NULL THEN 'unknown' ELSE TRIM(CONCAT_WS(' ', t.manufacturer, t.model)) END AS model,
  COUNT(*) FILTER (is_now) AS this_month, COUNT(*) FILTER (NOT is_now) AS month_before
FROM reported AS r
LEFT JOIN tac AS t ON t.tac = r.device // 1000000
GROUP BY 2
ORDER BY this_month DESC, month_before DESC, model
LIMIT 20
