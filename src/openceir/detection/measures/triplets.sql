-- triplets: which IMEI, IMSI and MSISDN were seen together at which operator, on which days of the month.
-- Shapes: users of one or more days of one month in; one row per triplet and operator out.
SELECT device, operator, imsi, msisdn, BIT_OR(rat) AS rat, BIT_OR(day_mask) AS day_mask
FROM month_users
GROUP BY device, operator, imsi, msisdn
