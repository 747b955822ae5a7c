-- title: Who was seen with the devices found
-- unit: triplets
-- drawing: none
-- order: 4
-- counts: One row per finding, operator and subscriber of the month.
SELECT f.rule AS rule, u.operator AS operator, u.device AS device, u.imsi AS imsi, u.msisdn AS msisdn
FROM users AS u
JOIN finding AS f ON f.device = u.device
GROUP BY f.rule, u.operator, u.device, u.imsi, u.msisdn
ORDER BY rule, device, operator, imsi, msisdn
