-- conflicts: which devices had a conflict on a day that entered or left the window since the earlier run?
-- Shapes: measured conflicts in; devices out. :any_day where conflicts of other days were measured anew too.
SELECT DISTINCT device
FROM (SELECT device, CAST(FLOOR(ts / 86400) AS BIGINT) AS day_on FROM conflicts) AS c
WHERE day_on BETWEEN :first_before_on AND :as_of_on AND (:any_day OR day_on < :first_on OR day_on > :before_on)
