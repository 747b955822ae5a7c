-- daily_avg_uid: was this IMEI used by too many registered persons on an average day?
-- Source: ITU-T Q.5052 §7.2.1
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  uid_days / days_used = persons a day: each day's distinct persons, averaged over the days the device was used.
coalesce(
        days_used >= :min_seen_days
    and days_used > 0
    and uid_days >= :threshold * days_used,
  false)
