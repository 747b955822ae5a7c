-- used_by_subscriber: was the device used with a SIM card of one of the country's operators?
-- Source: ITU-T Q Supplement 73 (roaming)
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(used_at_home, false)
