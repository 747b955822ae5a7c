-- counted: the devices of which users are counted one by one; the others have had one SIM card, number and person at most.
-- Shapes: monthly triplets in; one row per such device with any day in the longest window of a condition out.
-- Nine devices in ten are no matter of counting: whatever is counted of them is 1, which reaches no limit above 1. Where
-- a rule has a limit of 1 or less, everybody is counted.
SELECT device
FROM (
  SELECT t.device AS device
  FROM triplets AS t
  JOIN :longest_window AS w ON w.month_on = t.month_on
  WHERE (t.day_mask & w.mask) <> 0
  GROUP BY t.device
  HAVING :everybody OR MIN(t.imsi) < MAX(t.imsi) OR MIN(t.msisdn) < MAX(t.msisdn)
  UNION
  SELECT t.device AS device FROM triplets AS t JOIN shared_imsi AS s ON s.imsi = t.imsi) AS c
