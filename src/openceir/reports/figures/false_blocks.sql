-- title: Blocks that were taken back
-- unit: devices
-- drawing: none
-- order: 94
-- counts: Devices that statements of the month blocked (thefts, losses, orders); devices whose block was withdrawn in the month because it should not have been, whenever it was made, and their share of 100 blocked; how long half of those had been blocked. A recovery is no withdrawal and is not counted. Rules that found too much are under 'Taken back and disputed'.
WITH made AS (
  SELECT a.device AS device, s.idx AS idx, s.kind AS kind, s.logged_at AS logged_at
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind IN ('stolen', 'lost', 'blocked') AND s.ends_kind IS NULL),
back AS (
  SELECT a.device AS device, s.idx AS idx, s.ends_kind AS kind, s.logged_at AS logged_at
  FROM about AS a JOIN said AS s ON s.idx = a.idx
  WHERE s.kind = 'withdrawn' AND s.logged_at >= :begins_at),
undone AS (
  SELECT m.device AS device, m.kind AS kind, MIN(b.logged_at) - MAX(m.logged_at) AS seconds
  FROM made AS m JOIN back AS b ON b.device = m.device AND b.idx > m.idx AND b.kind = m.kind
  GROUP BY m.device, m.kind),
kinds AS (
  SELECT kind, COUNT(DISTINCT device) FILTER (logged_at >= :begins_at) AS blocked FROM made GROUP BY kind)
SELECT '' AS operator, k.kind AS claim, k.blocked AS blocked, COUNT(DISTINCT u.device) AS taken_back,
  ROUND(100.0 * COUNT(DISTINCT u.device) / NULLIF(k.blocked, 0), 1) AS per_cent,
  ROUND(MEDIAN(u.seconds) / 3600.0, 1) AS hours_blocked
FROM kinds AS k
LEFT JOIN undone AS u ON u.kind = k.kind
GROUP BY k.kind, k.blocked
ORDER BY claim
