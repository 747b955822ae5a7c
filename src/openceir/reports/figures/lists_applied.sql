-- title: What operators have applied
-- unit: hours
-- drawing: none
-- order: 91
-- counts: Of each operator and kind of list, the newest run delivered by the month's end and the newest one acknowledged;
--   behind counts runs, hours from the making of the acknowledged run to its acknowledgement. No row: nothing was ever acknowledged.
SELECT a.operator AS operator, a.kind AS list, d.sequence AS delivered, a.sequence AS acknowledged,
  d.sequence - a.sequence AS behind, ROUND((a.acknowledged_at - r.made_at) / 3600.0, 1) AS hours
FROM acknowledged AS a
JOIN delivered AS d ON d.operator = a.operator AND d.kind = a.kind
LEFT JOIN run AS r ON r.sequence = a.sequence
ORDER BY operator, list
