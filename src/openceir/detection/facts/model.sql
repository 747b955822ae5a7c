-- model: what the TAC table and the barred TACs say of a device's first eight digits.
-- Shapes: one row per TAC that is known to either table; a device has its TAC's row, or none.
SELECT
  k.tac AS tac,
  t.tac IS NOT NULL AS tac_known,
  b.tac IS NOT NULL AS tac_barred,
  e.device_type IS NOT NULL AS exempt,
  t.manufacturer AS manufacturer,
  t.model AS model,
  t.device_type AS device_type,
  m.generations AS model_generations
FROM (SELECT tac FROM tac UNION SELECT tac FROM barred_tac) AS k
LEFT JOIN tac AS t ON t.tac = k.tac
LEFT JOIN (SELECT DISTINCT tac FROM barred_tac) AS b ON b.tac = k.tac
LEFT JOIN (SELECT DISTINCT device_type FROM exempt_type) AS e ON e.device_type = t.device_type
LEFT JOIN model_capability AS m ON m.manufacturer = t.manufacturer AND m.model = t.model
