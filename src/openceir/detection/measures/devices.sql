-- devices: on which days of the month each device was seen with which RATs; no subscriber, kept for ever.
-- Shapes: users of one or more days of one month in; one row per device and RAT set out.
SELECT device, rat, BIT_OR(day_mask) AS day_mask
FROM month_users
GROUP BY device, rat
