-- title: Pairings that hold
-- unit: pairs
-- drawing: none
-- order: 82
-- counts: Devices with a pairing; pairings of a device with an IMSI, and those with a number beside it; the first pairing of each device, and all further ones. A pairing holds until it is withdrawn: all of them are permanent.
SELECT '' AS operator, COUNT(DISTINCT device) AS devices, COUNT(DISTINCT imsi) AS subscribers, COUNT(DISTINCT (device, imsi)) AS pairs,
  COUNT(DISTINCT (device, imsi, msisdn)) FILTER (msisdn <> 0) AS triplets,
  COUNT(DISTINCT device) AS first_pairs, COUNT(DISTINCT (device, imsi)) - COUNT(DISTINCT device) AS further_pairs
FROM pair
