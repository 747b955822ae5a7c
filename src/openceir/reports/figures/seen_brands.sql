-- title: The most frequent brands
-- unit: devices
-- drawing: bars
-- order: 41
-- counts: Devices seen in the month by the brand of their TAC, the twenty most frequent.
WITH brands AS (
  SELECT u.operator AS operator, COALESCE(NULLIF(TRIM(t.brand), ''), NULLIF(TRIM(t.manufacturer), ''), 'unknown') AS brand, COUNT(DISTINCT u.device) AS devices
  FROM users AS u
  LEFT JOIN tac AS t ON t.tac = u.device // 1000000
  WHERE u.device < 100000000000000
  GROUP BY GROUPING SETS ((u.operator, 2), (2)))
SELECT COALESCE(operator, '') AS operator, brand, devices
FROM brands
QUALIFY ROW_NUMBER() OVER (PARTITION BY operator ORDER BY devices DESC, brand) <= 20
ORDER BY operator, devices DESC, brand
