-- time_distance: was one IMEI in two places faster than anyone travels, again and again?
-- Source: ITU-T Q.5052 §7.4
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  independent_conflicts = pairs of sightings faster than speed_kmh that share no sighting; conflict_days = days.
coalesce(independent_conflicts >= :conflicts and conflict_days >= :days, false)
