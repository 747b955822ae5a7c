-- title: The most frequent models
-- unit: devices
-- drawing: bars
-- order: 40
-- counts: Devices seen in the month by the model of their TAC, the twenty most frequent; "unknown" is every TAC that the table of models does not know, which accuses nobody.
WITH models AS (
  SELECT u.operator AS operator, CASE WHEN t.tac IS NULL THEN 'unknown' ELSE TRIM(CONCAT_WS(' ', t.manufacturer, t.model)) END AS model,
    COUNT(DISTINCT u.device) AS devices
  FROM users AS u
  LEFT JOIN tac AS t ON t.tac = u.device // 1000000
  WHERE u.device < 100000000000000
  GROUP BY GROUPING SETS ((u.operator, 2), (2)))
SELECT COALESCE(operator, '') AS operator, model, devices
FROM models
QUALIFY ROW_NUMBER() OVER (PARTITION BY operator ORDER BY devices DESC, model) <= 20
ORDER BY operator, devices DESC, model
