-- inconsistent_rat: which devices were seen since the earlier run on a radio generation that their model lacks?
-- Shapes: rows of `devices` (one or more a month, device and RAT) in; devices out.
-- Units:  generations bit 0 is 2G … bit 3 is 5G; days_since holds the days after the earlier run's,
--         least_mask is the least of their bits: most files hold no mask as large.
SELECT DISTINCT d.device AS device
FROM (
  SELECT r.device AS device, r.rat AS rat, CAST(FLOOR(r.device / 1000000) AS BIGINT) AS tac
  FROM devices AS r
  JOIN :days_since AS n ON n.month_on = r.month_on
  WHERE r.day_mask >= :least_mask AND (r.day_mask & n.mask) <> 0) AS d
JOIN (
  SELECT t.tac AS tac, c.generations AS generations
  FROM tac AS t
  JOIN :model_capability AS c ON c.manufacturer = t.manufacturer AND c.model = t.model) AS m ON m.tac = d.tac
WHERE ((15 - m.generations)
    & CAST(CASE WHEN (d.rat & :rat_2g) <> 0 THEN 1 ELSE 0 END
         + CASE WHEN (d.rat & :rat_3g) <> 0 THEN 2 ELSE 0 END
         + CASE WHEN (d.rat & :rat_4g) <> 0 THEN 4 ELSE 0 END
         + CASE WHEN (d.rat & :rat_5g) <> 0 THEN 8 ELSE 0 END AS BIGINT)) <> 0
