-- seen: when was each device seen, and with which radio generations, up to the day of the run?
-- Shapes: rows of `devices` (one a month, device and RAT) in; one row per device seen out.
-- Units:  days since 1970; day_mask bit 0 is day 1 of its month; generations bit 0 is 2G … bit 3 is 5G.
SELECT device, first_seen_on, last_seen_on,
  CAST(CASE WHEN (rats & :rat_2g) <> 0 THEN 1 ELSE 0 END
     + CASE WHEN (rats & :rat_3g) <> 0 THEN 2 ELSE 0 END
     + CASE WHEN (rats & :rat_4g) <> 0 THEN 4 ELSE 0 END
     + CASE WHEN (rats & :rat_5g) <> 0 THEN 8 ELSE 0 END AS BIGINT) AS generations
FROM (
  SELECT device, BIT_OR(rat) AS rats,
    CAST(MIN(month_on + BIT_COUNT((days & -days) - 1)) AS BIGINT) AS first_seen_on,
    CAST(MAX(month_on + CAST(FLOOR(LOG2(CAST(days AS DOUBLE))) AS BIGINT)) AS BIGINT) AS last_seen_on
  FROM (
    SELECT device, month_on, rat,
      CASE WHEN month_on < :this_month_on THEN day_mask ELSE day_mask & :this_month_mask END AS days
    FROM devices
    WHERE month_on <= :this_month_on) AS d
  WHERE days <> 0
  GROUP BY device) AS s
