-- title: Pairings and their use
-- unit: pairs
-- drawing: none
-- order: 80
-- counts: Pairings of a device with a subscriber that hold, and how many of them no network saw in the month. Country only.
SELECT '' AS operator, COUNT(*) AS pairs, COUNT(*) FILTER (u.device IS NULL) AS not_seen
FROM (SELECT DISTINCT device, imsi FROM pair) AS p
LEFT JOIN (SELECT DISTINCT device, imsi FROM users) AS u ON u.device = p.device AND u.imsi = p.imsi
