-- known_non_unique: is this a number that is known to stand on very many handsets?
-- Source: the table of known values in the identifiers catalogue
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(seen and known_non_unique, false)
