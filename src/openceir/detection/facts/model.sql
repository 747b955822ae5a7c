-- model: what the TAC table and the barred TACs say of a device's first eight digits.
-- Shapes: one row per device of `device` whose tac is known to either table; the others have no row.
SELECT
  d.device AS device,
  t.tac IS NOT NULL AS tac_known,
  b.tac IS NOT NULL AS tac_barred,
  e.device_type IS NOT NULL AS exempt,
  t.manufacturer AS manufacturer,
  t.model AS model,
  t.device_type AS device_type,
  m.generations AS model_generations
FROM device AS d
LEFT JOIN tac AS t ON t.tac = d.tac
LEFT JOIN (SELECT DISTINCT tac FROM barred_tac) AS b ON b.tac = d.tac
LEFT JOIN (SELECT DISTINCT device_type FROM exempt_type) AS e ON e.device_type = t.device_type
LEFT JOIN model_capability AS m ON m.manufacturer = t.manufacturer AND m.model = t.model
WHERE t.tac IS NOT NULL OR b.tac IS NOT NULL
