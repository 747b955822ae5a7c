-- networks: which devices were used by somebody of a kind in the window before and are not in the present one, or else?
-- Shapes: monthly triplets in; devices out. :whose says of which kind: at home, foreign, or other local.
-- Cheap first: a triplet that is in both windows, or in neither, moves nothing.
WITH heads AS (
  SELECT DISTINCT n.head AS head, h.lo IS NOT NULL AS at_home, c.lo IS NOT NULL AS in_country
  FROM (
    SELECT DISTINCT CAST(FLOOR(imsi / 100000000) AS BIGINT) AS head
    FROM triplets
    WHERE imsi >= 100000000000000 AND imsi < 2000000000000000 AND (imsi < 200000000000000 OR imsi >= 1000000000000000)
  ) AS n
  LEFT JOIN home_range AS h ON n.head BETWEEN h.lo AND h.hi
  LEFT JOIN country_range AS c ON n.head BETWEEN c.lo AND c.hi),
used AS (
  SELECT t.device AS device, COALESCE(t.day_mask & b.mask, 0) <> 0 AS was, COALESCE(t.day_mask & w.mask, 0) <> 0 AS holds
  FROM triplets AS t
  JOIN heads AS h ON h.head = CAST(FLOOR(t.imsi / 100000000) AS BIGINT)
  LEFT JOIN :window_before AS b ON b.month_on = t.month_on
  LEFT JOIN :window AS w ON w.month_on = t.month_on
  WHERE :whose)
SELECT u.device AS device
FROM used AS u
JOIN (SELECT DISTINCT device FROM used WHERE was <> holds) AS m ON m.device = u.device
GROUP BY u.device
HAVING MAX(CASE WHEN u.was THEN 1 ELSE 0 END) <> MAX(CASE WHEN u.holds THEN 1 ELSE 0 END)
