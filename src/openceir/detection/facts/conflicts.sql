-- conflicts: how often was each device in two places faster than anyone can travel, or with two SIM cards at once?
-- Shapes: measured conflicts in (two neighbouring sightings each); one row per device with any in the window out.
-- Units:  meetings: only those of two SIM cards within the networks' clock skew count, at any speed; days = UTC days of
--         the later sightings; widest_m = metres between the reach of the two cells.
-- Two conflicts that share a sighting are not independent (one wrong clock makes both): of a chain of n, every second
-- one counts. A conflict continues the chain when its earlier sighting is the later one of the conflict before it.
WITH hit AS (
  SELECT device, ts, cell, imsi, previous_ts, previous_cell, previous_imsi, speed_kmh, apart_m,
    CAST(FLOOR(ts / 86400) AS BIGINT) AS day_on
  FROM conflicts
  WHERE CASE WHEN :meetings THEN simultaneous ELSE speed_kmh > :speed_kmh END
    AND CAST(FLOOR(ts / 86400) AS BIGINT) BETWEEN :first_on AND :as_of_on),
linked AS (
  SELECT device, day_on, ts, cell, imsi, previous_ts, previous_cell, speed_kmh, apart_m,
    LAG(ts) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, previous_ts, previous_cell) AS last_ts,
    LAG(cell) OVER (PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, previous_ts, previous_cell) AS last_cell
  FROM hit),
numbered AS (
  SELECT device, day_on, speed_kmh, apart_m,
    SUM(CASE WHEN last_ts = previous_ts AND last_cell = previous_cell THEN 0 ELSE 1 END) OVER (
      PARTITION BY device ORDER BY ts, cell, imsi NULLS LAST, previous_ts, previous_cell
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS chain
  FROM linked),
chains AS (
  SELECT device, chain, COUNT(*) AS links FROM numbered GROUP BY device, chain)
SELECT n.device AS device, c.independent AS independent, n.days AS days, n.widest_m AS widest_m,
  n.fastest_kmh AS fastest_kmh
FROM (
  SELECT device, COUNT(DISTINCT day_on) AS days, MAX(apart_m) AS widest_m,
    CAST(FLOOR(MAX(speed_kmh)) AS BIGINT) AS fastest_kmh
  FROM numbered GROUP BY device) AS n
JOIN (
  SELECT device, CAST(SUM(FLOOR((links + 1) / 2)) AS BIGINT) AS independent FROM chains GROUP BY device) AS c
  ON c.device = n.device
