-- local_other_roamer: was the device used with a SIM card of this country, of an operator outside the register?
-- Source: ITU-T Q Supplement 73 (roaming)
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(used_by_other_local, false)
