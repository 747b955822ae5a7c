-- title: From report to an operator's effective block
-- unit: hours
-- drawing: none
-- order: 91
-- counts: Reports logged in the month, operator by operator: hours from the register to the moment at which its equipment register first fetched, and first said to have applied, a block list that was made with the report; half of all took no longer, and 95 of 100. From theft counts from the theft itself. Not applied: reports that no applied list holds yet. An operator that never acknowledged a list has no row.
WITH report AS (
  SELECT idx, effective_at, logged_at FROM said
  WHERE kind IN ('stolen', 'lost', 'blocked') AND ends_kind IS NULL AND logged_at >= :begins_at AND logged_at < :ends_at),
used AS (
  SELECT v.operator AS operator, r.ledger_size AS ledger_size, v.fetched_at AS fetched_at, v.applied_at AS applied_at
  FROM received AS v JOIN run AS r ON r.sequence = v.sequence
  WHERE v.kind = 'blocklist'),
reached AS (
  SELECT o.operator AS operator, p.idx AS idx, p.effective_at AS effective_at, p.logged_at AS logged_at,
    MIN(u.fetched_at) AS fetched_at, MIN(u.applied_at) AS applied_at
  FROM (SELECT DISTINCT operator FROM received WHERE applied_at IS NOT NULL) AS o
  CROSS JOIN report AS p
  LEFT JOIN used AS u ON u.operator = o.operator AND u.ledger_size > p.idx
  GROUP BY o.operator, p.idx, p.effective_at, p.logged_at)
SELECT operator, COUNT(*) AS reports,
  ROUND(MEDIAN((fetched_at - logged_at) / 3600.0), 2) AS to_fetched,
  ROUND(MEDIAN((applied_at - logged_at) / 3600.0), 2) AS to_applied,
  ROUND(QUANTILE_CONT((applied_at - logged_at) / 3600.0, 0.95), 2) AS to_applied_95,
  ROUND(MEDIAN((applied_at - effective_at) / 3600.0), 2) AS from_theft,
  COUNT(*) FILTER (applied_at IS NULL) AS not_applied
FROM reached
GROUP BY operator
ORDER BY operator
