-- numbers: how many telephone numbers (MSISDNs) used each device in the window.
-- Shapes: monthly triplets in; one row per counted device seen with a number out.
-- Units:  msisdns = distinct numbers; nobody's when the rule counts SIM cards.
-- A number is any MSISDN of shortest_msisdn_digits or more; stored ones bear a leading 1.
SELECT device, COUNT(*) AS msisdns
FROM (
  SELECT DISTINCT t.device AS device, t.msisdn AS msisdn
  FROM triplets AS t
  JOIN counted AS k ON k.device = t.device
  JOIN :window AS w ON w.month_on = t.month_on
  WHERE :use_msisdn AND t.msisdn >= POWER(10, :shortest_msisdn_digits) AND (t.day_mask & w.mask) <> 0) AS used
GROUP BY device
