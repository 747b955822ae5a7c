-- title: Handsets rather than numbers
-- unit: devices
-- drawing: none
-- order: 6
-- counts: Identities seen in the month, and how many handsets they are when the identifiers that a maker or customs
--   bound to one device are counted once. A number copied to many handsets is still one: nobody can count copies from a list.
SELECT COALESCE(u.operator, '') AS operator, COUNT(DISTINCT u.device) AS identities,
  COUNT(DISTINCT COALESCE(b.whole, u.device)) AS handsets
FROM users AS u
LEFT JOIN (SELECT device, MIN(whole) AS whole FROM bound GROUP BY device) AS b ON b.device = u.device
GROUP BY GROUPING SETS ((u.operator), ())
ORDER BY operator
