-- range_of_tacs: the registered ranges, with the TACs at which they begin and end.
SELECT lo, hi,
  CAST(FLOOR(lo / 1000000) AS BIGINT) AS first_tac,
  CAST(FLOOR(hi / 1000000) AS BIGINT) AS last_tac
FROM registered_range
WHERE hi < 100000000000000
