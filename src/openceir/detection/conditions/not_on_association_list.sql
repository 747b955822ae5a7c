-- not_on_association_list: is the device in use though no person has declared it?
-- Source: ITU-T Q.5052 §7.3
-- Shapes: one row per device in, one bool per row out, never null.
-- A device type is exempt only when the TAC table says the type: an unknown model is never exempt.
coalesce(seen and associated is not true and exempt is not true, false)
