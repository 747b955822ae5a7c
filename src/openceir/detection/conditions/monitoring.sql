-- monitoring: was this device seen, and has it been watched for long enough?
-- Source: 3GPP TS 22.016 §4 (the list of tracked equipment)
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  monitored_since_on and as_of_on = days.
coalesce(seen and monitored_since_on + :monitored_days <= :as_of_on, false)
