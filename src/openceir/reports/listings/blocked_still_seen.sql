-- title: Blocked devices that networks still saw
-- unit: devices
-- drawing: none
-- order: 2
-- counts: One row per device and operator that saw it two days or more after its block; what to ask that operator about.
SELECT u.operator AS operator, u.device AS device, MAX(d.day_on - b.since_on) AS days_after, MAX(d.day) AS last_seen
FROM users AS u
JOIN blocked AS b ON b.device = u.device
JOIN days AS d ON (u.day_mask & d.bit) <> 0
WHERE d.day_on - b.since_on >= 2
GROUP BY u.operator, u.device
ORDER BY operator, days_after DESC, device
