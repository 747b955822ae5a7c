-- title: Share of reported devices that came back
-- unit: devices
-- drawing: none
-- order: 93
-- counts: Devices reported stolen or lost since the register began, how many of them were stated to be back by the month's end, and their share of 100; the same of the devices reported in the month.
WITH reported AS (
  SELECT a.device AS device, MAX(s.idx) AS idx, MAX(s.logged_at) AS logged_at
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind IN ('stolen', 'lost') AND s.ends_kind IS NULL GROUP BY a.device),
found AS (
  SELECT a.device AS device, MAX(s.idx) AS idx
  FROM about AS a JOIN said AS s ON s.idx = a.idx WHERE s.kind = 'recovered' GROUP BY a.device),
counted AS (
  SELECT COUNT(*) AS reported, COUNT(*) FILTER (f.idx > r.idx) AS recovered,
    COUNT(*) FILTER (r.logged_at >= :begins_at) AS this_month,
    COUNT(*) FILTER (r.logged_at >= :begins_at AND f.idx > r.idx) AS this_month_recovered
  FROM reported AS r LEFT JOIN found AS f ON f.device = r.device)
SELECT '' AS operator, reported, recovered, ROUND(100.0 * recovered / NULLIF(reported, 0), 1) AS per_cent,
  this_month, this_month_recovered, ROUND(100.0 * this_month_recovered / NULLIF(this_month, 0), 1) AS this_month_per_cent
FROM counted
