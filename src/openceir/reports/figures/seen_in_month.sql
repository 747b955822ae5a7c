-- title: Seen on networks in the month
-- unit: distinct values
-- drawing: none
-- order: 5
-- counts: Distinct values over the whole month. Triplets are combinations of identity, IMSI and number; without IMSI and without number count identities with at least one such sighting.
SELECT COALESCE(operator, '') AS operator, COUNT(DISTINCT device) AS devices, COUNT(DISTINCT imsi) AS imsis,
  COUNT(DISTINCT msisdn) AS msisdns,
  COUNT(DISTINCT (device, imsi, msisdn)) AS triplets,
  COUNT(DISTINCT device) FILTER (imsi IS NULL) AS without_imsi,
  COUNT(DISTINCT device) FILTER (msisdn IS NULL) AS without_number,
  COUNT(DISTINCT device) FILTER (device >= 100000000000000) AS no_imei
FROM users
GROUP BY GROUPING SETS ((operator), ())
ORDER BY operator
