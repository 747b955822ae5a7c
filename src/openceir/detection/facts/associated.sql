-- associated: the devices that some person has declared to use.
SELECT DISTINCT device, TRUE AS associated FROM associated
