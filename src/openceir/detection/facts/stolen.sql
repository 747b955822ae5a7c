-- stolen: the devices for which a theft or loss report holds.
SELECT DISTINCT device, TRUE AS stolen FROM stolen
