-- suspects: the devices that can have a conflict on some days: every device with one is among them, few others are.
-- Shapes: sightings of the days, and of so much before them as the floor speed needs, in; one row per device out.
-- Units:  moment = seconds since begins_at, times `places`, plus the cell: one number in the order of time, then cell.
-- Cheap and generous, so that conflicts.sql need sort few: whatever lies between equal instants and cells, neighbours in
-- another cell are the same; the reach is the least and the clocks' skew the most that it allows, with a metre to spare.
SELECT DISTINCT n.device AS device
FROM (
  SELECT device, cell, previous_moment % :places AS previous_cell,
    (moment - cell) - (previous_moment - previous_moment % :places) AS apart
  FROM (
    SELECT device, cell, moment, LAG(moment) OVER (PARTITION BY device ORDER BY moment) AS previous_moment
    FROM (
      SELECT device, cell, (ts - :begins_at) * :places + cell AS moment
      FROM sightings
      WHERE ts >= :begins_at AND ts < :ends_at
        AND device >= 0 AND device < 100000000000000
        AND cell IN (SELECT cell FROM cells)) AS s) AS l
  WHERE cell <> previous_moment % :places AND moment - previous_moment <= (:look_back_s + 1) * :places) AS n
JOIN cells AS c ON c.cell = n.cell
JOIN cells AS p ON p.cell = n.previous_cell
WHERE (2 * 6371008.8 * ASIN(LEAST(CAST(1.0 AS DOUBLE),
    SQRT(POWER(c.x - p.x, 2) + POWER(c.y - p.y, 2) + POWER(c.z - p.z, 2)) / 2)) + 1
    - COALESCE(c.radius_m, :least_radius_m) - COALESCE(p.radius_m, :least_radius_m)) * 3.6 * :places
  > :floor_kmh * GREATEST(n.apart - 2 * :clock_skew_s * :places, :places)
