-- devices: on which days of the month each device was seen with which RATs; no subscriber, kept for ever.
-- Shapes: sightings of one or more days of one month in; one row per device and RAT set out.
SELECT device, rat, BIT_OR(day_bit) AS day_mask
FROM sightings
WHERE device IS NOT NULL
GROUP BY device, rat
