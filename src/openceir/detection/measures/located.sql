-- located: the sightings of a UTC day whose time and place are known, and those shortly before it.
SELECT device, ts, cell, imsi, rat, operator
FROM sightings
WHERE ts >= :day_starts_at - :look_back_s AND ts < :day_starts_at + 86400
  AND device >= 0 AND device < 100000000000000
  AND cell IN (SELECT cell FROM cells)
