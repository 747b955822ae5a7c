-- title: On the operators' lists
-- unit: entries
-- drawing: none
-- order: 8
-- counts: Rows of the newest list of each kind that was made by the month's end. Each operator gets the same block list and its own notifications, exceptions and blocked pairs; the country counts the longest of each kind.
SELECT COALESCE(operator, '') AS operator, kind AS list, CAST(MAX(entries) AS BIGINT) AS entries
FROM delivered
GROUP BY GROUPING SETS ((operator, kind), (kind))
ORDER BY operator, list
