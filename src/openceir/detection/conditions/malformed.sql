-- malformed: is what the networks sent as IMEI not 14 to 16 digits?
-- Source: 3GPP TS 23.003 §6.2.1
-- Shapes: one row per device in, one bool per row out, never null.
-- A finding about a record: letters come from faulty software as well as from tampering.
coalesce(seen and tac is null, false)
