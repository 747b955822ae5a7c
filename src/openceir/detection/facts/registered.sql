-- registered: the devices on the registration list, one by one or within a range.
-- Ranges are split at the TAC, so that the join has an equality; whole TACs inside a range are matched by TAC alone.
SELECT device, TRUE AS registered
FROM (
  SELECT device FROM registered
  UNION
  SELECT d.device AS device
  FROM device AS d
  JOIN (
    SELECT first_tac AS tac, lo, CASE WHEN last_tac = first_tac THEN hi ELSE first_tac * 1000000 + 999999 END AS hi
    FROM range_of_tacs
    UNION ALL
    SELECT last_tac AS tac, last_tac * 1000000 AS lo, hi FROM range_of_tacs WHERE last_tac > first_tac
  ) AS r ON r.tac = d.tac
  WHERE d.device BETWEEN r.lo AND r.hi
  UNION
  SELECT d.device AS device
  FROM device AS d
  JOIN (
    SELECT DISTINCT t.tac AS tac
    FROM (SELECT DISTINCT tac FROM device) AS t
    JOIN range_of_tacs AS r ON t.tac > r.first_tac AND t.tac < r.last_tac
  ) AS whole ON whole.tac = d.tac
) AS listed
