-- several: who used the devices that had several users in some month, or one whose SIM card is registered to several persons?
-- Shapes: monthly triplets in; those of such devices from the first month of any window on out.
-- Where an average above 1 a day is reached, some month has several users.
SELECT t.device AS device, t.month_on AS month_on, t.imsi AS imsi, t.msisdn AS msisdn, t.day_mask AS day_mask
FROM triplets AS t
JOIN (
  SELECT u.device AS device
  FROM (
    SELECT device, month_on FROM triplets WHERE month_on >= :first_month_on GROUP BY device, month_on HAVING COUNT(*) > 1
  ) AS u
  UNION
  SELECT r.device AS device FROM triplets AS r JOIN shared_imsi AS s ON s.imsi = r.imsi) AS k ON k.device = t.device
WHERE t.month_on >= :first_month_on
