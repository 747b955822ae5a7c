-- barred_tac: has an authority barred every device of this model code?
-- Source: ITU-T Q.5050 §10.1
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(seen and tac_barred, false)
