-- test_tac: is the number from a range that exists for test equipment only?
-- Source: GSMA TS.06 (reporting body 00: test codes 001001 to 001017, 0044, 0086 and 0091)
-- Shapes: one row per device in, one bool per row out, never null.
coalesce(
    seen and (
           tac between 100100 and 101799                   -- 00100100 to 00101799
        or tac between 440000 and 449999
        or tac between 860000 and 869999
        or tac between 910000 and 919999),
  false)
