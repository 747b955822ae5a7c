-- networks: whose subscribers used each device in the window: our operators', foreign ones, or other local ones.
-- Shapes: monthly triplets in; one row per device seen with a valid IMSI out.
-- home_range holds the IMSIs of the operators named in the policy, country_range those of the country's MCCs.
SELECT u.device AS device,
  MAX(CASE WHEN h.lo IS NOT NULL THEN 1 ELSE 0 END) = 1 AS used_at_home,
  MAX(CASE WHEN c.lo IS NULL THEN 1 ELSE 0 END) = 1 AS used_by_foreigner,
  MAX(CASE WHEN h.lo IS NULL AND c.lo IS NOT NULL THEN 1 ELSE 0 END) = 1 AS used_by_other_local
FROM (
  SELECT DISTINCT t.device AS device, CAST(FLOOR(t.imsi / 100000000) AS BIGINT) AS head
  FROM triplets AS t
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE t.imsi >= 100000000000000 AND t.imsi < 2000000000000000
    AND (t.imsi < 200000000000000 OR t.imsi >= 1000000000000000)
    AND (t.day_mask & w.mask) <> 0) AS u
LEFT JOIN (SELECT DISTINCT lo, hi FROM home_range) AS h ON u.head BETWEEN h.lo AND h.hi
LEFT JOIN (SELECT DISTINCT lo, hi FROM country_range) AS c ON u.head BETWEEN c.lo AND c.hi
GROUP BY u.device
