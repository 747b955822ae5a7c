-- title: Devices per SIM card
-- unit: SIM cards
-- drawing: bars
-- order: 31
-- counts: IMSIs by how many distinct device identities they were seen with in the month. A card that cycles through many is a SIM box or a tester.
WITH counted AS (
  SELECT operator, imsi, COUNT(DISTINCT device) AS devices
  FROM users WHERE imsi IS NOT NULL GROUP BY GROUPING SETS ((operator, imsi), (imsi)))
SELECT COALESCE(operator, '') AS operator,
  CASE WHEN devices <= 5 THEN CAST(devices AS VARCHAR) WHEN devices <= 10 THEN '6 to 10' ELSE 'over 10' END AS devices,
  COUNT(*) AS imsis
FROM counted
GROUP BY 1, 2, CASE WHEN devices <= 5 THEN devices WHEN devices <= 10 THEN 6 ELSE 7 END
ORDER BY operator, CASE WHEN MAX(devices) <= 5 THEN MAX(devices) WHEN MAX(devices) <= 10 THEN 6 ELSE 7 END
