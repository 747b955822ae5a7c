-- stolen_list: does a report of theft or loss hold for this device, whether it was ever seen or not?
-- Source: ITU-T Q.5051 §7.1
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(stolen, false)
