-- gsma_not_found: is the model code absent from the TAC table, though a new code would have appeared there by now?
-- Source: ITU-T Q.5050 §10.1; 3GPP TS 23.003 §6.2.1
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  delay_days = days from allocation to appearance, by the first two digits (rbi); 0 for the others.
coalesce(
        seen
    and tac is not null                                    -- what is not 14 digits has no model code
    and tac_known is not true
    and first_seen_on + :delay_days <= :as_of_on,
  false)
