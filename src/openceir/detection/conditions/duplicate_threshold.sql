-- duplicate_threshold: did more subscriptions share this IMEI in the period than one handset can serve?
-- Source: ITU-T Q.5052 §7.1.1
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  imsis, msisdns = distinct ones in the period; a threshold counts them.
coalesce(
    case when :use_msisdn then msisdns >= :threshold else imsis >= :threshold end,
  false)
