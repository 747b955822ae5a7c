-- title: From report to the operators' lists
-- unit: hours
-- drawing: none
-- order: 90
-- counts: Reports logged in the month. To register: from the theft, loss or order to the register. To lists: from the
--   register to the first lists that were made with it; 95 of 100 reports took no longer than the last column. Reports on no list yet are counted apart.
WITH listed AS (
  SELECT s.idx AS idx, MIN(r.made_at) AS listed_at FROM said AS s JOIN run AS r ON r.ledger_size > s.idx GROUP BY s.idx)
SELECT '' AS operator, s.kind AS kind, COUNT(*) AS reports, CAST(SUM(s.devices) AS BIGINT) AS devices,
  ROUND(MEDIAN((s.logged_at - s.effective_at) / 3600.0), 1) AS to_register,
  ROUND(MEDIAN((l.listed_at - s.logged_at) / 3600.0), 1) AS to_lists,
  ROUND(QUANTILE_CONT((l.listed_at - s.logged_at) / 3600.0, 0.95), 1) AS to_lists_95,
  COUNT(*) FILTER (l.listed_at IS NULL) AS on_no_list
FROM said AS s
LEFT JOIN listed AS l ON l.idx = s.idx
WHERE s.kind IN ('stolen', 'lost', 'blocked') AND s.ends_kind IS NULL
  AND s.logged_at >= :begins_at AND s.logged_at < :ends_at
GROUP BY s.kind
ORDER BY kind
