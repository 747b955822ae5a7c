-- title: Pairings that no network saw
-- unit: pairs
-- drawing: none
-- order: 5
-- counts: Pairings that hold and were not seen in the month.
SELECT DISTINCT p.device AS device, p.imsi AS imsi
FROM pair AS p
LEFT JOIN users AS u ON u.device = p.device AND u.imsi = p.imsi
WHERE u.device IS NULL
ORDER BY device, imsi
