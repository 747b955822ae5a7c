-- model_capability: what a model can do is what any TAC of the same maker and model can do.
-- A TAC of which the bands are not known leaves its model unknown: a missing fact accuses nobody.
SELECT manufacturer, model,
  CASE WHEN COUNT(*) = COUNT(generations) THEN BIT_OR(generations) END AS generations
FROM tac
WHERE manufacturer IS NOT NULL AND manufacturer <> '' AND model IS NOT NULL AND model <> ''
GROUP BY manufacturer, model
