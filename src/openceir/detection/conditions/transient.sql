-- transient: does one IMEI run through a regular series of telephone numbers at one operator, as SIM boxes do?
-- Source: openceir; the idea is in DIRBS-Core's operator guide
-- Shapes: one row per device in, one bool per row out, never null.
-- Units:  msisdn_days / period_days = numbers a day; steps = different distances between neighbouring numbers.
coalesce(
        series_msisdns >= 3                                -- fewer make no series
    and steps = 1
    and number_operators = 1
    and msisdn_days >= :num_msisdns * :period_days,
  false)
