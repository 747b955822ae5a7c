-- networks: whose subscribers used each device in the window: our operators', foreign ones, or other local ones.
-- Shapes: monthly triplets in; one row per device seen with a valid IMSI out.
-- home_range holds the IMSIs of the operators named in the policy, country_range those of the country's MCCs; what an
-- IMSI begins with is looked up once for each beginning there is. Stored IMSIs of 14 or 15 digits bear a leading 1.
WITH used AS (
  SELECT t.device AS device, CAST(FLOOR(t.imsi / 100000000) AS BIGINT) AS head
  FROM triplets AS t
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE t.imsi >= 100000000000000 AND t.imsi < 2000000000000000
    AND (t.imsi < 200000000000000 OR t.imsi >= 1000000000000000)
    AND (t.day_mask & w.mask) <> 0),
heads AS (
  SELECT DISTINCT n.head AS head, h.lo IS NOT NULL AS at_home, c.lo IS NOT NULL AS in_country
  FROM (SELECT DISTINCT head FROM used) AS n
  LEFT JOIN home_range AS h ON n.head BETWEEN h.lo AND h.hi
  LEFT JOIN country_range AS c ON n.head BETWEEN c.lo AND c.hi)
SELECT u.device AS device,
  MAX(CASE WHEN h.at_home THEN 1 ELSE 0 END) = 1 AS used_at_home,
  MAX(CASE WHEN h.in_country THEN 0 ELSE 1 END) = 1 AS used_by_foreigner,
  MAX(CASE WHEN h.in_country AND NOT h.at_home THEN 1 ELSE 0 END) = 1 AS used_by_other_local
FROM used AS u
JOIN heads AS h ON h.head = u.head
GROUP BY u.device
