-- title: SIM cards per device
-- unit: devices
-- drawing: bars
-- order: 30
-- counts: Devices by how many distinct IMSIs were seen with them in the month. Two are ordinary (dual SIM, a change of card); many are a copied number, a hub or a repair shop.
WITH counted AS (
  SELECT operator, device, COUNT(DISTINCT imsi) AS cards
  FROM users WHERE imsi IS NOT NULL GROUP BY GROUPING SETS ((operator, device), (device)))
SELECT COALESCE(operator, '') AS operator,
  CASE WHEN cards <= 5 THEN CAST(cards AS VARCHAR) WHEN cards <= 10 THEN '6 to 10' WHEN cards <= 100 THEN '11 to 100' ELSE 'over 100' END AS cards,
  COUNT(*) AS devices
FROM counted
GROUP BY 1, 2, CASE WHEN cards <= 5 THEN cards WHEN cards <= 10 THEN 6 WHEN cards <= 100 THEN 7 ELSE 8 END
ORDER BY operator, CASE WHEN MAX(cards) <= 5 THEN MAX(cards) WHEN MAX(cards) <= 10 THEN 6 WHEN MAX(cards) <= 100 THEN 7 ELSE 8 END
