-- duplicate_daily_avg: was this IMEI used with too many SIM cards on an average day?
-- Source: ITU-T Q.5052 §7.1.2
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  imsi_days / days_seen = SIM cards a day; a SIM card at two operators on one day counts once.
coalesce(
        days_seen >= :min_seen_days
    and days_seen > 0
    and imsi_days >= :threshold * days_seen,
  false)
