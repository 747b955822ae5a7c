-- known_non_unique: numbers that are known to be on very many handsets, by the table of identity/.
SELECT DISTINCT device, TRUE AS known_non_unique FROM known_non_unique
