-- title: Reported devices that networks saw again
-- unit: devices
-- drawing: none
-- order: 3
-- counts: One row per device, operator and subscriber seen two days or more after the report: for the police.
SELECT u.operator AS operator, u.device AS device, u.imsi AS imsi, u.msisdn AS msisdn, MIN(d.day) AS first_seen, MAX(d.day) AS last_seen
FROM users AS u
JOIN report_of AS r ON r.device = u.device
JOIN days AS d ON (u.day_mask & d.bit) <> 0
WHERE d.day_on - r.reported_on >= 2
GROUP BY u.operator, u.device, u.imsi, u.msisdn
ORDER BY device, operator, first_seen, imsi, msisdn
