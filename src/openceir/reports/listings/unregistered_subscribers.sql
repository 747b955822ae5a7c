-- title: Subscribers that no register knows
-- unit: SIM cards
-- drawing: none
-- order: 6
-- counts: The operators' own IMSIs seen in the month and absent from the register of subscribers.
SELECT DISTINCT u.operator AS operator, u.imsi AS imsi, u.msisdn AS msisdn
FROM users AS u
JOIN home AS h ON h.operator = u.operator AND u.imsi BETWEEN h.prefix_lo AND h.prefix_hi
LEFT JOIN subscriber AS s ON s.imsi = u.imsi
WHERE s.imsi IS NULL AND EXISTS (SELECT 1 FROM subscriber)
ORDER BY operator, imsi, msisdn
