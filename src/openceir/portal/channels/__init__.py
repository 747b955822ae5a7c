"""SMS and USSD: the register's answer for every phone, in one message or one screen."""
