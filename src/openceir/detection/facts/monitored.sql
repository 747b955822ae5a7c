-- monitored: since which day each device has been on the monitoring list.
SELECT device, MIN(since_on) AS monitored_since_on FROM monitored GROUP BY device
