-- triplets: which IMEI, IMSI and MSISDN were seen together at which operator, on which days of the month.
-- Shapes: sightings of one or more days of one month in; one row per triplet and operator out.
SELECT device, operator, imsi, msisdn, BIT_OR(rat) AS rat, BIT_OR(day_bit) AS day_mask
FROM sightings
WHERE device IS NOT NULL
GROUP BY device, operator, imsi, msisdn
