-- users: which IMEI, IMSI and MSISDN were seen together at which operator with which RATs, on which days of the month.
-- Shapes: sightings of one or more days of one month in; one row per triplet, operator and RAT set out.
-- The other measures of a month are groups of these, so that sightings are read and grouped once.
SELECT device, operator, imsi, msisdn, rat, BIT_OR(day_bit) AS day_mask
FROM sightings
WHERE device IS NOT NULL
GROUP BY device, operator, imsi, msisdn, rat
