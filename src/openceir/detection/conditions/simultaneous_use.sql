-- simultaneous_use: were two SIM cards active with one IMEI at the same time, at places no one handset can reach?
-- Source: ITU-T Q.5052 §7.4
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  independent_meetings = pairs of sightings within the networks' clock skew that share no sighting.
coalesce(independent_meetings >= :conflicts and meeting_days >= :days, false)
