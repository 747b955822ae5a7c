-- title: Seen on networks, day by day
-- unit: devices, subscribers
-- drawing: lines
-- order: 10
-- counts: Distinct device identities, IMSIs and numbers of each day. One handset may have several identities and one identity may sit on several handsets.
SELECT COALESCE(u.operator, '') AS operator, d.day AS day,
  COUNT(DISTINCT u.device) AS devices, COUNT(DISTINCT u.imsi) AS imsis, COUNT(DISTINCT u.msisdn) AS msisdns
FROM users AS u
JOIN days AS d ON (u.day_mask & d.bit) <> 0
GROUP BY GROUPING SETS ((u.operator, d.day), (d.day))
ORDER BY operator, day
