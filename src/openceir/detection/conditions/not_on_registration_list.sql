-- not_on_registration_list: is the device in use though nobody registered it?
-- Source: ITU-T Q.5050 §10.3; Q Supplement 73
-- Shapes: one row per device in, one bool per row out, never null.
-- A device type is exempt only when the TAC table says the type: an unknown model is never exempt.
coalesce(seen and registered is not true and exempt is not true, false)
