-- title: Reported and recovered
-- unit: devices
-- drawing: none
-- order: 92
-- counts: Devices newly reported in the month, devices whose recovery was stated in it, and the days from the latest
--   report of such a device to its recovery (median).
WITH found AS (
  SELECT a.device AS device, s.idx AS idx, s.effective_at AS at
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind = 'recovered' AND s.logged_at >= :begins_at AND s.logged_at < :ends_at),
reported AS (
  SELECT a.device AS device, s.idx AS idx, s.effective_at AS at, s.logged_at AS logged_at
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind IN ('stolen', 'lost') AND s.ends_kind IS NULL),
waited AS (
  SELECT f.device AS device, f.at - MAX(r.at) AS seconds
  FROM found AS f JOIN reported AS r ON r.device = f.device AND r.idx < f.idx
  GROUP BY f.device, f.idx, f.at)
SELECT '' AS operator,
  (SELECT COUNT(DISTINCT device) FROM reported WHERE logged_at >= :begins_at AND logged_at < :ends_at) AS reported,
  (SELECT COUNT(DISTINCT device) FROM found) AS recovered,
  (SELECT ROUND(MEDIAN(seconds) / 86400.0, 1) FROM waited) AS median_days
