-- barred: has an authority barred this very device, whether it was ever seen or not?
-- Source: ITU-T Q.5050 §10.1
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(barred, false)
