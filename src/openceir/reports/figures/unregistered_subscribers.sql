-- title: Subscribers that no register knows
-- unit: SIM cards
-- drawing: none
-- order: 81
-- counts: The operator's own IMSIs seen in the month, and those of them absent from the register of subscribers; no row where the country keeps no such register.
SELECT u.operator AS operator, COUNT(DISTINCT u.imsi) AS imsis, COUNT(DISTINCT u.imsi) FILTER (s.imsi IS NULL) AS not_registered
FROM users AS u
JOIN home AS h ON h.operator = u.operator AND u.imsi BETWEEN h.prefix_lo AND h.prefix_hi
LEFT JOIN subscriber AS s ON s.imsi = u.imsi
WHERE EXISTS (SELECT 1 FROM subscriber)
GROUP BY u.operator
ORDER BY operator
