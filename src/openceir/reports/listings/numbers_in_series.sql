-- title: Numbers that cycle through devices
-- unit: numbers
-- drawing: none
-- order: 8
-- counts: Numbers seen with ten or more device identities in the month: SIM boxes and their like.
SELECT msisdn, COUNT(DISTINCT device) AS devices, COUNT(DISTINCT operator) AS operators
FROM users WHERE msisdn IS NOT NULL
GROUP BY msisdn HAVING COUNT(DISTINCT device) >= 10
ORDER BY devices DESC, msisdn
