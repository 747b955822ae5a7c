-- device: every device that a rule can speak of: those seen, and those on a stolen or barred list though never seen.
-- Shapes: one row per device out. tac and rbi are null for what is not 14 digits.
SELECT
  u.device AS device,
  u.was_seen = 1 AS seen,
  u.first_seen_on AS first_seen_on,
  u.last_seen_on AS last_seen_on,
  u.generations AS generations,
  CASE WHEN u.device < 100000000000000 THEN CAST(FLOOR(u.device / 1000000) AS BIGINT) END AS tac,
  CASE WHEN u.device < 100000000000000 THEN CAST(FLOOR(u.device / 1000000000000) AS BIGINT) END AS rbi
FROM (
  SELECT device, 1 AS was_seen, first_seen_on, last_seen_on, generations FROM seen
  UNION ALL
  SELECT l.device AS device, 0 AS was_seen, CAST(NULL AS BIGINT) AS first_seen_on,
    CAST(NULL AS BIGINT) AS last_seen_on, CAST(NULL AS BIGINT) AS generations
  FROM (SELECT device FROM stolen UNION SELECT device FROM barred) AS l
  LEFT JOIN seen AS s ON s.device = l.device
  WHERE s.device IS NULL) AS u
