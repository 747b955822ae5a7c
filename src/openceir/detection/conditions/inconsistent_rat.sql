-- inconsistent_rat: was the device seen on a radio generation that no unit of its model can use?
-- Source: ITU-T Q.5052 §9.1
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  generations, model_generations: bit 0 is 2G, bit 1 is 3G, bit 2 is 4G, bit 3 is 5G.
-- A model without a name, without bands in the table or unknown to it has no model_generations: no accusation.
coalesce(seen and (generations & (15 - model_generations)) <> 0, false)
