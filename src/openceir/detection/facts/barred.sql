-- barred: the devices that an authority barred one by one.
SELECT DISTINCT device, TRUE AS barred FROM barred
