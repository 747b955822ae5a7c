-- title: Devices with more than five SIM cards
-- unit: devices
-- drawing: none
-- order: 1
-- counts: Identities seen with more than five IMSIs in the month, the most first.
SELECT device, COUNT(DISTINCT imsi) AS imsis, COUNT(DISTINCT operator) AS operators
FROM users WHERE imsi IS NOT NULL
GROUP BY device HAVING COUNT(DISTINCT imsi) > 5
ORDER BY imsis DESC, device
