-- conflicts: neighbouring sightings of one IMEI that no single handset could have made, on one UTC day.
-- Source: ITU-T Q.5052 §7.4; the formula and its parameters are openceir's own (docs/standards.md).
-- Shapes: sightings of the day, and of so much before it as the floor speed needs, in; one row per conflict out.
-- Units:  ts seconds since 1970; apart_m metres between the two cells' reach (0 when the cells may overlap);
--         speed_kmh = apart_m over the time between, each network's clock given its skew.
-- Order is by (ts, cell, imsi, …): sightings of one second always meet in the same order.
SELECT device, ts, cell, imsi, previous_ts, previous_cell, previous_imsi,
  CAST(FLOOR(apart_m) AS BIGINT) AS apart_m,
  apart_m * 3.6 / allowed_s AS speed_kmh,
  imsi <> previous_imsi AND imsi IS NOT NULL AND previous_imsi IS NOT NULL
    AND ts - previous_ts <= skew_s AND apart_m > 0 AS simultaneous
FROM (
  SELECT device, ts, cell, imsi, previous_ts, previous_cell, previous_imsi, skew_s,
    GREATEST(ts - previous_ts - skew_s, 1) AS allowed_s,
    GREATEST(0.0, distance_m - reach_m) AS apart_m
  FROM (
    SELECT s.device AS device, s.ts AS ts, s.cell AS cell, s.imsi AS imsi,
      s.previous_ts AS previous_ts, s.previous_cell AS previous_cell, s.previous_imsi AS previous_imsi,
      CASE WHEN s.operator = s.previous_operator THEN :clock_skew_s ELSE 2 * :clock_skew_s END AS skew_s,
      2 * 6371008.8 * ASIN(LEAST(CAST(1.0 AS DOUBLE),
        SQRT(POWER(c.x - p.x, 2) + POWER(c.y - p.y, 2) + POWER(c.z - p.z, 2)) / 2)) AS distance_m,
      COALESCE(c.radius_m, CASE WHEN (s.rat & :rat_2g_3g) <> 0 THEN :radius_2g_3g_m
        WHEN (s.rat & :rat_4g_5g) <> 0 THEN :radius_4g_5g_m ELSE :radius_unknown_m END)
      + COALESCE(p.radius_m, CASE WHEN (s.previous_rat & :rat_2g_3g) <> 0 THEN :radius_2g_3g_m
        WHEN (s.previous_rat & :rat_4g_5g) <> 0 THEN :radius_4g_5g_m ELSE :radius_unknown_m END) AS reach_m
    FROM (
      SELECT device, ts, cell, imsi, rat, operator,
        LAG(ts) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, operator, rat NULLS LAST) AS previous_ts,
        LAG(cell) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, operator, rat NULLS LAST) AS previous_cell,
        LAG(imsi) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, operator, rat NULLS LAST) AS previous_imsi,
        LAG(rat) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, operator, rat NULLS LAST) AS previous_rat,
        LAG(operator) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, operator, rat NULLS LAST) AS previous_operator
      FROM sightings
      WHERE ts >= :day_starts_at - :look_back_s AND ts < :day_starts_at + 86400
        AND device >= 0 AND device < 100000000000000       -- only an IMEI can be in two places
        AND cell IN (SELECT cell FROM cells)               -- a place that nobody knows is passed over
    ) AS s
    JOIN cells AS c ON c.cell = s.cell
    JOIN cells AS p ON p.cell = s.previous_cell
    WHERE s.cell <> s.previous_cell AND s.ts >= :day_starts_at AND s.ts - s.previous_ts <= :look_back_s
  ) AS pair
) AS measured
WHERE apart_m * 3.6 > :floor_kmh * allowed_s
