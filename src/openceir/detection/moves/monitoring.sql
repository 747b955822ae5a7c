-- monitoring: of which watched devices did the day come since the earlier run?
-- Shapes: the monitoring list in; devices out.
SELECT device
FROM monitored
WHERE since_on + :monitored_days > :before_on AND since_on + :monitored_days <= :as_of_on
