-- international_roamer: was the device used with a SIM card of another country?
-- Source: ITU-T Q Supplement 73 (roaming)
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(used_by_foreigner, false)
